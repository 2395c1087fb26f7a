/**
 * What all ways to write the address of one server come to: the case of its host, a default port, slashes at the end, and what
 * stands behind a `?` or `#` make no other server of it. What is no address stands for itself.
 */
export function serverKey(address: string): string {
  if (!URL.canParse(address)) return address;
  const { origin, pathname } = new URL(address);
  return origin + pathname.replace(/\/+$/, '');
}
