import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { systemClock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import type { TaskId } from '../../core/ids';
import type { WriteReport } from '../../core/usageReport';
import { guard } from '../commands/commandRegistry';
import { AnalyticsFeed, type AnalyticsExecutor } from './analyticsFeed';
import { analyticsHtml } from './analyticsHtml';
import { analyticsText } from './analyticsText';
import { saveReport } from './saveReport';

const viewType = 'airlock.analytics';
export const openAnalyticsCommand = 'airlock.openAnalytics';

export interface AnalyticsParts {
  readonly extensionUri: vscode.Uri;
  readonly executor: AnalyticsExecutor;
  /** Selects a task in the tree. */
  readonly reveal: (taskId: TaskId) => Promise<void>;
  readonly writeReport: WriteReport;
  readonly logger: Logger;
}

/**
 * Registers the analytics page: its command, and its return after a reload of the window. There is one page at most.
 * Nothing is loaded or asked before it is opened. Disposing closes the page.
 */
export function registerAnalytics(parts: AnalyticsParts): Disposable {
  const page = new AnalyticsPage(parts);
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

  constructor(private readonly given: AnalyticsParts) {}

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
    const { executor, logger, reveal, writeReport } = this.given;
    const parts = new DisposableStore();
    this.current = { panel, parts };
    const feed = parts.add(
      new AnalyticsFeed({
        executor,
        clock: systemClock,
        logger,
        post: (message) => void panel.webview.postMessage(message).then(undefined, () => {}),
        reveal: (taskId) => void guard('Reveal', logger, () => reveal(taskId)),
        export: (span, format) =>
          void guard('Export', logger, () => saveReport(() => writeReport(executor, { span, format }), span, format)),
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
    const folder = vscode.Uri.joinPath(this.given.extensionUri, 'dist', 'webview');
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
