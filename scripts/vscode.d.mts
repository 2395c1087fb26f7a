import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

export interface CodeServerPaths {
  readonly folder: string;
  readonly node: string;
  readonly nodeHome: string;
  readonly entry: string;
  readonly vscode: string;
  readonly stamp: string;
}

export interface ServerOptions {
  /** A folder with a built extension; `null` for none. Default: this repository. */
  readonly extension?: string | null;
  /** A packaged extension to install instead. */
  readonly vsix?: string;
  /** Where home, settings and extensions are kept. Default: a new temporary folder that is deleted at the end. */
  readonly folder?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly password?: string;
  /** A program and its arguments that start the server. It must become the server by `exec`. */
  readonly launcher?: readonly string[];
  readonly smokeTestDriver?: boolean;
  readonly log?: (message: string) => void;
}

export interface Server {
  readonly url: string;
  readonly password: string;
  readonly cookie: { readonly name: string; readonly value: string; readonly url: string };
  readonly folder: string;
  readonly folders: {
    readonly home: string;
    readonly tmp: string;
    readonly data: string;
    readonly extensions: string;
    readonly run: string;
  };
  readonly pid: number;
  log(): string;
  readonly ended: Promise<number | null>;
  /** Ends the server and everything it started. */
  stop(): Promise<void>;
}

export declare const root: string;
export declare const quietSettings: Readonly<Record<string, unknown>>;
export declare function ensureCodeServer(log?: (message: string) => void): CodeServerPaths;
export declare function ensureChromium(log?: (message: string) => void): string;
export declare function ensureVSCode(log?: (message: string) => void): CodeServerPaths & { readonly chromium: string };
export declare function startServer(options?: ServerOptions): Promise<Server>;
export declare function workbenchUrl(
  server: Server,
  folder?: string,
  payload?: readonly (readonly [string, string])[],
): string;
export declare function startBrowser(): Promise<Browser>;
export declare function openPage(browser: Browser, server: Server, options?: BrowserContextOptions): Promise<Page>;
export declare function stageExtension(folder?: string): string;
