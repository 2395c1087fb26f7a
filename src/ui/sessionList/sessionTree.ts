import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { SessionId } from '../../core/ids';
import type { CommandId } from '../commands/commandTable';
import type { ExecutorLink } from '../executorLink';
import { viewIds } from '../ids';
import { topToRemake } from '../treeTop';
import type { SessionChange, SessionList } from './sessionList';
import { type SessionGroup, type SessionNode, sessionGroups } from './sessionNode';

/** The sessions as a tree: those that live, and those that are over. */
export class SessionTree implements vscode.TreeDataProvider<SessionNode>, Disposable {
  readonly view: vscode.TreeView<SessionNode>;
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<SessionNode[] | undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly nodes = new Map<SessionId, SessionNode>();
  private readonly groupNodes = new Map<SessionGroup, SessionNode>(
    sessionGroups.map((group) => [group, { kind: 'sessions', group }]),
  );
  /** The groups that VS Code was given last. */
  private given: readonly SessionNode[] | undefined;

  constructor(
    private readonly sessions: SessionList,
    private readonly link: ExecutorLink,
  ) {
    this.view = this.store.add(
      vscode.window.createTreeView(viewIds.sessions, { treeDataProvider: this, showCollapseAll: true }),
    );
    this.store.add(sessions.onDidChange((change) => this.follow(change)));
    this.store.add(this.view.onDidChangeVisibility(({ visible }) => sessions.setWatched(visible)));
    sessions.setWatched(this.view.visible);
  }

  async getChildren(node?: SessionNode): Promise<SessionNode[]> {
    if (!node) {
      // While the executor opens, VS Code shows that something is under way.
      if (this.link.status.kind === 'opening') await this.link.settled();
      this.given = this.shownGroups();
      return [...this.given];
    }
    if (node.kind !== 'sessions') return [];
    return this.sessions.idsOf(node.group).map((sessionId) => this.nodeOf(sessionId));
  }

  getParent(node: SessionNode): SessionNode | undefined {
    if (node.kind === 'sessions') return undefined;
    const group = this.sessions.groupOf(node.sessionId);
    return group && this.groupNodes.get(group);
  }

  getTreeItem(node: SessionNode): vscode.TreeItem {
    return node.kind === 'sessions' ? this.groupItem(node.group) : this.sessionItem(node);
  }

  /** Called when the user points at a row: most tooltips are never read, so they are not made before. */
  resolveTreeItem(item: vscode.TreeItem, node: SessionNode): vscode.TreeItem {
    const row = node.kind === 'session' ? this.sessions.rowOf(node.sessionId) : undefined;
    if (row) item.tooltip = new vscode.MarkdownString(row.tooltip);
    return item;
  }

  dispose(): void {
    this.store.dispose();
  }

  private follow(change: SessionChange): void {
    if (change.kind === 'all') {
      for (const sessionId of this.nodes.keys()) if (!this.sessions.groupOf(sessionId)) this.nodes.delete(sessionId);
      this.changed.fire(topToRemake(this.given, this.shownGroups()));
      return;
    }
    const nodes = [...change.sessions].flatMap((sessionId) => this.nodes.get(sessionId) ?? []);
    if (nodes.length > 0) this.changed.fire(nodes);
  }

  private shownGroups(): SessionNode[] {
    return this.sessions.shownGroups().flatMap((group) => this.groupNodes.get(group) ?? []);
  }

  private groupItem(group: SessionGroup): vscode.TreeItem {
    const count = this.sessions.idsOf(group).length;
    const label = group === 'living' ? l10n.t('Living') : l10n.t('Ended');
    const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
    item.id = `sessions:${group}`;
    item.description = String(count);
    item.iconPath = new vscode.ThemeIcon(group === 'living' ? 'pulse' : 'history');
    item.contextValue = ` sessions ${group} `;
    item.accessibilityInformation = { label: l10n.t('{0}: {1}', label, count) };
    return item;
  }

  private sessionItem(node: Extract<SessionNode, { kind: 'session' }>): vscode.TreeItem {
    const row = this.sessions.rowOf(node.sessionId);
    if (!row) return new vscode.TreeItem(node.sessionId);
    const item = new vscode.TreeItem(row.label);
    item.id = `session:${node.sessionId}`;
    item.description = row.description;
    const { id, color } = row.icon;
    item.iconPath = new vscode.ThemeIcon(id, color === null ? undefined : new vscode.ThemeColor(color));
    item.contextValue = row.contextValue;
    item.accessibilityInformation = { label: row.accessibleLabel };
    const command: CommandId =
      this.sessions.groupOf(node.sessionId) === 'living' ? 'airlock.openTerminal' : 'airlock.replaySession';
    item.command = { command, title: l10n.t('Open'), arguments: [node] };
    return item;
  }

  private nodeOf(sessionId: SessionId): SessionNode {
    const node = this.nodes.get(sessionId) ?? { kind: 'session', sessionId };
    this.nodes.set(sessionId, node);
    return node;
  }
}
