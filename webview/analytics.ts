import './analytics.css';
import { z } from 'zod';
import {
  analyticsPageMemorySchema,
  analyticsSetupSchema,
  defaultView,
  type FromAnalyticsPage,
  toAnalyticsPageSchema,
} from '../src/protocol/analyticsProtocol';
import { Page } from './page';
import { watchTheme } from './theme';
import { registerToolkit } from './toolkit';

/** What VS Code gives to every webview, once. */
declare function acquireVsCodeApi(): {
  postMessage(message: FromAnalyticsPage): void;
  getState(): unknown;
  setState(state: unknown): void;
};

function start(): void {
  // The page's policy forbids code made at run time; without this zod tries, and each try is an entry in the console.
  z.config({ jitless: true });
  const vscode = acquireVsCodeApi();
  const root = document.getElementById('page');
  const setup = analyticsSetupSchema.parse(JSON.parse(document.getElementById('setup')?.textContent ?? 'null'));
  if (!root) throw new Error('The page has no place for the figures');
  registerToolkit();
  const memory = analyticsPageMemorySchema
    .catch({ view: defaultView, metric: 'tokens' })
    .parse(vscode.getState() ?? {});
  const page = new Page(root, {
    setup,
    memory,
    send: (intent) => vscode.postMessage(intent),
    remember: (kept) => vscode.setState(kept),
  });
  // So that a reload of the window knows of this page even when the user has chosen nothing.
  vscode.setState(memory);
  watchTheme(() => page.themeChanged());
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    const state = toAnalyticsPageSchema.safeParse(event.data);
    // What does not fit is dropped: the page goes on with what it has.
    if (state.success) page.show(state.data);
  });
  page.show({ kind: 'loading' });
  vscode.postMessage({ kind: 'ready', view: memory.view });
}

start();
