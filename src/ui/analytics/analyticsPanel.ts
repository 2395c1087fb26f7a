import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { systemClock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import { AnalyticsFeed, type AnalyticsExecutor } from './analyticsFeed';
import { analyticsHtml } from './analyticsHtml';
import { analyticsText } from './analyticsText';

const viewType = 'airlock.analytics';
export const openAnalyticsCommand = 'airlock.openAnalytics';

/**
 * Registers the analytics page: its command, and its return after a reload of the window. There is one page at most.
 * Nothing is loaded or asked before it is opened. Disposing closes the page.
 */
export function registerAnalytics(
  context: Pick<vscode.ExtensionContext, 'extensionUri'>,
  executor: AnalyticsExecutor,
  logger: Logger,
): Disposable {
  const page = new AnalyticsPage(context.extensionUri, executor, logger);
  const store = new DisposableStore();
  store.add(page);
  store.add(vscode.commands.registerCommand(openAnalyticsCommand, () => page.open()));
  store.add(
    vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: async (panel) => page.adopt(panel),
    }),
  );
  return store;
}

/** The one analytics page of a window: open or not. */
class AnalyticsPage implements Disposable {
  private current: { readonly panel: vscode.WebviewPanel; readonly parts: DisposableStore } | undefined;

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly executor: AnalyticsExecutor,
    private readonly logger: Logger,
  ) {}

  /** Shows the page, and makes it when there is none. */
  open(): void {
    if (this.current) {
      this.current.panel.reveal();
      return;
    }
    const title = l10n.t('Airlock Analytics');
    this.adopt(vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Active));
  }

  /** Takes over a panel that VS Code has made. An older one is closed. */
  adopt(panel: vscode.WebviewPanel): void {
    this.current?.panel.dispose();
    const parts = new DisposableStore();
    this.current = { panel, parts };
    const feed = parts.add(
      new AnalyticsFeed({
        executor: this.executor,
        clock: systemClock,
        logger: this.logger,
        post: (message) => void panel.webview.postMessage(message).then(undefined, () => {}),
      }),
    );
    parts.add(panel.webview.onDidReceiveMessage((message: unknown) => feed.receive(message)));
    // A hidden page is thrown away by VS Code and made anew when it is shown; then it says "ready" again.
    parts.add(panel.onDidChangeViewState(() => !panel.visible && feed.pageHidden()));
    parts.add(panel.onDidDispose(() => this.closed(panel)));
    this.fill(panel.webview);
  }

  dispose(): void {
    this.current?.panel.dispose();
  }

  private closed(panel: vscode.WebviewPanel): void {
    if (this.current?.panel !== panel) return;
    const { parts } = this.current;
    this.current = undefined;
    parts.dispose();
  }

  private fill(webview: vscode.Webview): void {
    const folder = vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview');
    webview.options = { enableScripts: true, enableForms: false, localResourceRoots: [folder] };
    webview.html = analyticsHtml(
      { language: vscode.env.language, text: analyticsText() },
      {
        cspSource: webview.cspSource,
        scriptUri: webview.asWebviewUri(vscode.Uri.joinPath(folder, 'analytics.js')).toString(),
        styleUri: webview.asWebviewUri(vscode.Uri.joinPath(folder, 'analytics.css')).toString(),
      },
    );
  }
}
