/**
 * What a tree has VS Code make anew when anything may have changed: what stands at its top when that is the same as VS Code
 * was given, `undefined` for the whole tree otherwise. While a whole tree is made anew VS Code knows none of its rows, and
 * a command that is chosen in the menu of one is called without it.
 */
export function topToRemake<Node>(given: readonly Node[] | undefined, now: readonly Node[]): Node[] | undefined {
  const isSame = given?.length === now.length && now.every((node, index) => node === given[index]);
  return isSame ? [...now] : undefined;
}
