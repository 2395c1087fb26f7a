/** A place outside of the storage folder for one secret text, such as VS Code's SecretStorage. */
export interface SecretSlot {
  /** `undefined` when nothing is kept. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}
