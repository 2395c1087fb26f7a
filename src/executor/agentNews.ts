/** More at once would hide the result of the tool. */
const maxNews = 20;

/** What the model is to learn with the next result of a tool. */
export class AgentNews {
  private news: string[] = [];

  tell(news: string): void {
    if (this.news.length < maxNews) this.news.push(news);
  }

  /** All that there is, once; empty for nothing. */
  take(): string {
    return this.news.splice(0).join('\n\n');
  }
}
