/** Characters that mean something in a POSIX extended regular expression. */
const special = /[.^$*+?()[\]{}|\\]/g;

export function escapeRegex(text: string): string {
  return text.replace(special, '\\$&');
}

/**
 * A glob as a POSIX extended regular expression, for `find -regex`: `*` and `?` stay within a name, `**` goes over
 * folders, `{a,b}` is a choice, `[a-z]` and `[!a-z]` are sets. The expression is matched in the jail, where one that takes
 * for ever harms nobody.
 */
export function globToRegex(glob: string): string {
  let regex = '';
  let at = 0;
  let depth = 0;
  while (at < glob.length) {
    const rest = glob.slice(at);
    const set = /^\[[!^]?\]?[^\]/]*\]/.exec(rest)?.[0];
    if (rest.startsWith('**/')) [regex, at] = [`${regex}(.*/)?`, at + 3];
    else if (rest.startsWith('**')) [regex, at] = [`${regex}.*`, at + 2];
    else if (set !== undefined) [regex, at] = [regex + set.replace(/^\[!/, '[^'), at + set.length];
    else {
      const char = rest.charAt(0);
      if (char === '{' && rest.includes('}')) [regex, depth] = [`${regex}(`, depth + 1];
      else if (char === '}' && depth > 0) [regex, depth] = [`${regex})`, depth - 1];
      else if (char === ',' && depth > 0) regex += '|';
      else if (char === '*') regex += '[^/]*';
      else if (char === '?') regex += '[^/]';
      else if (char === '\\' && rest.length > 1) [regex, at] = [regex + escapeRegex(rest.charAt(1)), at + 1];
      else regex += escapeRegex(char);
      at += 1;
    }
  }
  return regex + ')'.repeat(depth);
}

/** `*.{ts,tsx}` as `*.ts` and `*.tsx`, for programs that know no choices. Choices within choices stay as they are. */
export function expandChoices(glob: string): string[] {
  const choice = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(glob);
  if (!choice) return [glob];
  const [, before = '', options = '', after = ''] = choice;
  return options.split(',').flatMap((option) => expandChoices(before + option + after));
}
