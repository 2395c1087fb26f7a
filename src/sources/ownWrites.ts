import { stampAt } from './localText';

/** What Airlock itself wrote into repositories last, so that it is not taken for a change that somebody made. */
export class OwnWrites {
  private readonly stamps = new Map<string, string>();

  async note(path: string): Promise<void> {
    const stamp = await stampAt(path);
    if (stamp !== null) this.stamps.set(path, stamp);
  }

  /** True when the file is as Airlock left it. */
  async isOwn(path: string): Promise<boolean> {
    const stamp = this.stamps.get(path);
    return stamp !== undefined && stamp === (await stampAt(path));
  }
}
