/** What is said on a channel's control pipe. */
export type ControlMessage =
  | { readonly kind: 'started'; readonly generation: string; readonly pid: number; readonly launcherPid: number }
  | { readonly kind: 'ended'; readonly generation: string; readonly exitCode: number }
  /** The user's shell is about to start; `pid` is the process above it. */
  | { readonly kind: 'keyboardStarted'; readonly generation: string; readonly pid: number }
  | { readonly kind: 'keyboardEnded'; readonly generation: string }
  /** A background command runs; `pid` leads its process session. */
  | { readonly kind: 'backgroundStarted'; readonly nonce: string; readonly pid: number }
  /** A command ended. `folder` is where the shell is now. */
  | { readonly kind: 'finished'; readonly nonce: string; readonly exitCode: number; readonly folder: string };

/** A message is longer only when somebody in the jail makes it so: no path is. */
const maxMessageBytes = 16 * 1024;

const started = /^started ([0-9a-f]{32}) (\d{1,10}) (\d{1,10})$/;
const ended = /^ended ([0-9a-f]{32}) (\d{1,3})$/;
const keyboardStarted = /^keyboard-started ([0-9a-f]{32}) (\d{1,10})$/;
const keyboardEnded = /^keyboard-ended ([0-9a-f]{32})$/;
const backgroundStarted = /^background ([0-9a-f]{32}) (\d{1,10})$/;
const finished = /^([0-9a-f]{32}) (\d{1,3}) ([^]*)$/;

function parse(text: string): ControlMessage | undefined {
  const start = started.exec(text);
  if (start)
    return { kind: 'started', generation: start[1] ?? '', pid: Number(start[2]), launcherPid: Number(start[3]) };
  const end = ended.exec(text);
  if (end) return { kind: 'ended', generation: end[1] ?? '', exitCode: Number(end[2]) };
  const keyboard = keyboardStarted.exec(text);
  if (keyboard) return { kind: 'keyboardStarted', generation: keyboard[1] ?? '', pid: Number(keyboard[2]) };
  const keyboardEnd = keyboardEnded.exec(text);
  if (keyboardEnd) return { kind: 'keyboardEnded', generation: keyboardEnd[1] ?? '' };
  const background = backgroundStarted.exec(text);
  if (background) return { kind: 'backgroundStarted', nonce: background[1] ?? '', pid: Number(background[2]) };
  const finish = finished.exec(text);
  return finish
    ? { kind: 'finished', nonce: finish[1] ?? '', exitCode: Number(finish[2]), folder: finish[3] ?? '' }
    : undefined;
}

/**
 * Reads messages that stand between NULs, so that what is none spoils none: anybody in the jail may write there, and what is
 * written at once stays together up to 4 KiB (`PIPE_BUF`).
 */
export class ControlReader {
  private held = Buffer.alloc(0);

  push(piece: Buffer): ControlMessage[] {
    const messages: ControlMessage[] = [];
    let rest = this.held.length > 0 ? Buffer.concat([this.held, piece]) : piece;
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
      const message = end > 0 && end <= maxMessageBytes ? parse(rest.subarray(0, end).toString('utf8')) : undefined;
      if (message) messages.push(message);
      rest = rest.subarray(end + 1);
    }
    this.held = Buffer.from(rest.subarray(0, maxMessageBytes + 1));
    return messages;
  }
}
