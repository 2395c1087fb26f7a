import type { EngineNotice } from '../../core/engine';
import type { AnswerDelta } from './messageAssembler';

/** A line that grows longer than this is shown in parts. */
const maxLineLength = 400;

/** Gathers the small pieces that a model's words come in into whole lines, which is what people read. */
export class NoticeLines {
  private pending: { kind: 'text' | 'thinking'; text: string } = { kind: 'text', text: '' };

  constructor(private readonly notify: (notice: EngineNotice) => void) {}

  add(delta: AnswerDelta): void {
    if (delta.kind === 'blockEnd') return this.flush();
    if (delta.kind !== this.pending.kind) this.flush();
    this.pending = { kind: delta.kind, text: this.pending.text + delta.text };
    const end = this.pending.text.lastIndexOf('\n') + 1;
    if (end > 0) this.show(end);
    else if (this.pending.text.length > maxLineLength) this.flush();
  }

  /** Shows what is left, at the end of a block or when the answer breaks off. */
  flush(): void {
    this.show(this.pending.text.length);
  }

  private show(length: number): void {
    const { kind, text } = this.pending;
    const shown = text.slice(0, length).replace(/\n+$/, '');
    this.pending = { kind, text: text.slice(length) };
    if (shown !== '') this.notify({ kind, text: shown });
  }
}
