import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { TaskId } from '../../core/ids';
import type { ExecutorLink } from '../executorLink';
import { viewIds } from '../ids';
import type { ScheduleBranch } from '../schedule/scheduleBranch';
import type { ScheduleChange } from '../schedule/scheduleList';
import { topToRemake } from '../treeTop';
import { countWords } from './groupCount';
import { groupIcon, groupLabel, type TaskGroup } from './taskGroup';
import type { TaskFilter } from './taskFilter';
import type { ListChange } from './taskList';
import type { TaskNode } from './taskNode';
import { TaskPages } from './taskPages';
import { rowOf } from './taskRow';
import { tooltipOf } from './taskTooltip';

/** The tasks as a tree. One event makes one row anew, or the group that a task moved in. */
export class TaskTree implements vscode.TreeDataProvider<TaskNode>, Disposable {
  readonly view: vscode.TreeView<TaskNode>;
  private readonly store = new DisposableStore();
  private readonly changed = new vscode.EventEmitter<TaskNode[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly pages = new TaskPages();
  private readonly taskNodes = new Map<TaskId, TaskNode>();
  private readonly groupNodes = new Map<string, TaskNode>();
  /** The groups that VS Code was given last. */
  private given: readonly TaskNode[] | undefined;
  /** VS Code waits for the groups, and is about to be given them as they are then. */
  private awaited = false;

  constructor(
    private readonly tasks: TaskFilter,
    private readonly link: ExecutorLink,
    private readonly schedule: ScheduleBranch,
    dragAndDropController: vscode.TreeDragAndDropController<TaskNode>,
  ) {
    this.store.add(this.changed);
    this.view = this.store.add(
      vscode.window.createTreeView(viewIds.tasks, {
        treeDataProvider: this,
        canSelectMany: true,
        dragAndDropController,
        showCollapseAll: true,
      }),
    );
    this.store.add(tasks.onDidChange((change) => this.follow(change)));
    this.store.add(schedule.onDidChange((change) => this.followSchedule(change)));
    this.showBadge();
  }

  /** Ends `item` together with the tree. */
  keep(item: Disposable): void {
    this.store.add(item);
  }

  /** A message above the rows, such as why nothing runs; empty for none. */
  setMessage(message: string): void {
    this.view.message = message === '' ? undefined : message;
  }

  showMore(group: TaskGroup): void {
    this.pages.showMore(group);
    this.changed.fire([this.groupNode('group', group)]);
  }

  async getChildren(node?: TaskNode): Promise<TaskNode[]> {
    if (!node) {
      // While the executor opens, VS Code shows that something is under way.
      if (this.link.status.kind === 'opening') await this.whenSettled();
      this.given = this.shownGroups();
      return [...this.given];
    }
    if (node.kind === 'scheduled') return this.schedule.rows();
    if (node.kind !== 'group') return [];
    const { shown, hidden } = this.pages.pageOf(node.group, this.tasks.idsOf(node.group));
    const rows = shown.map((taskId) => this.taskNode(taskId));
    return hidden > 0 ? [...rows, this.groupNode('more', node.group)] : rows;
  }

  private async whenSettled(): Promise<void> {
    this.awaited = true;
    await this.link.settled().finally(() => (this.awaited = false));
  }

  getParent(node: TaskNode): TaskNode | undefined {
    if (node.kind === 'group' || node.kind === 'scheduled') return undefined;
    if (node.kind === 'definition') return this.schedule.heading;
    const group = node.kind === 'more' ? node.group : this.tasks.groupOf(node.taskId);
    return group && this.groupNode('group', group);
  }

  getTreeItem(node: TaskNode): vscode.TreeItem {
    switch (node.kind) {
      case 'group':
        return this.groupItem(node.group);
      case 'task':
        return this.taskItem(node.taskId);
      case 'more':
        return this.moreItem(node.group);
      case 'scheduled':
        return this.schedule.headingItem();
      case 'definition':
        return this.schedule.rowItem(node.path);
    }
  }

  /** Called when the user points at a row: most tooltips are never read, so they are not made before. */
  resolveTreeItem(item: vscode.TreeItem, node: TaskNode): vscode.TreeItem {
    if (node.kind === 'definition') item.tooltip = this.schedule.tooltip(node.path);
    const input = node.kind === 'task' ? this.tasks.list.inputOf(node.taskId) : undefined;
    if (input) item.tooltip = new vscode.MarkdownString(tooltipOf(input));
    return item;
  }

  /** Selects a task's row and scrolls to it. */
  async reveal(taskId: TaskId): Promise<void> {
    // What is to be seen is not to be hidden.
    if (this.tasks.list.groupOf(taskId) && !this.tasks.groupOf(taskId)) await this.tasks.set('', { keep: true });
    const group = this.tasks.groupOf(taskId);
    if (!group) return;
    const isShown = this.pages.pageOf(group, this.tasks.idsOf(group)).shown.includes(taskId);
    await this.view.reveal(isShown ? this.taskNode(taskId) : this.groupNode('group', group), { expand: true });
  }

  dispose(): void {
    this.store.dispose();
  }

  private follow(change: ListChange): void {
    this.showBadge();
    if (change.kind === 'all') {
      for (const taskId of this.taskNodes.keys()) if (!this.tasks.list.task(taskId)) this.taskNodes.delete(taskId);
      if (!this.awaited) this.changed.fire(topToRemake(this.given, this.shownGroups()));
      return;
    }
    // A group that is made anew makes its rows anew.
    const rows = [...change.tasks].filter((taskId) => !change.groups.has(this.tasks.groupOf(taskId) ?? 'done'));
    // A row that VS Code was never given has no node, and needs none.
    const nodes = rows.flatMap((taskId) => this.taskNodes.get(taskId) ?? []);
    const groups = [...change.groups].map((group) => this.groupNode('group', group));
    if (nodes.length + groups.length > 0) this.changed.fire([...groups, ...nodes]);
  }

  private followSchedule(change: ScheduleChange): void {
    if (this.awaited || this.given === undefined) return;
    const hasGroup = this.given.includes(this.schedule.heading);
    if (hasGroup === this.schedule.isEmpty) this.changed.fire(topToRemake(this.given, this.shownGroups()));
    else if (change.kind === 'all' || this.tasks.isOn) this.changed.fire([this.schedule.heading]);
    else this.changed.fire(this.schedule.rowsAt(change.paths));
  }

  private showBadge(): void {
    const value = this.tasks.list.idsOf('needsYou').length;
    if (value === (this.view.badge?.value ?? 0)) return;
    const tooltip = value === 1 ? l10n.t('1 task needs you') : l10n.t('{0} tasks need you', value);
    // A badge of 0 is no badge; VS Code keeps the old one when it is given none.
    this.view.badge = { value, tooltip: value === 0 ? '' : tooltip };
  }

  private groupItem(group: TaskGroup): vscode.TreeItem {
    const count = countWords(this.tasks.idsOf(group).length, this.tasks.list.idsOf(group).length);
    const item = new vscode.TreeItem(groupLabel(group), vscode.TreeItemCollapsibleState.Expanded);
    item.id = `group:${group}`;
    item.description = count;
    item.iconPath = new vscode.ThemeIcon(groupIcon(group));
    item.contextValue = ` group ${group} `;
    item.accessibilityInformation = { label: l10n.t('{0}: {1}', groupLabel(group), count) };
    return item;
  }

  private taskItem(taskId: TaskId): vscode.TreeItem {
    const input = this.tasks.list.inputOf(taskId);
    if (!input) return new vscode.TreeItem(taskId);
    const row = rowOf(input);
    const item = new vscode.TreeItem(row.label);
    item.id = `task:${taskId}`;
    item.description = row.description;
    const { id, color } = row.icon;
    item.iconPath = new vscode.ThemeIcon(id, color === null ? undefined : new vscode.ThemeColor(color));
    item.contextValue = row.contextValue;
    item.accessibilityInformation = { label: row.accessibleLabel };
    item.command = openingCommand(taskId, input.abilities);
    return item;
  }

  private moreItem(group: TaskGroup): vscode.TreeItem {
    const { hidden } = this.pages.pageOf(group, this.tasks.idsOf(group));
    const item = new vscode.TreeItem(l10n.t('Show more ({0} hidden)', hidden));
    item.id = `more:${group}`;
    item.iconPath = new vscode.ThemeIcon('ellipsis');
    item.contextValue = ' more ';
    item.command = { command: 'airlock.showMoreTasks', title: l10n.t('Show more'), arguments: [group] };
    return item;
  }

  private taskNode(taskId: TaskId): TaskNode {
    return kept(this.taskNodes, taskId, () => ({ kind: 'task', taskId }));
  }

  private shownGroups(): TaskNode[] {
    const shown = this.tasks.shownGroups();
    const nodes = shown.map((group) => this.groupNode('group', group));
    // What comes is over what is done.
    if (!this.schedule.isEmpty)
      nodes.splice(shown.filter((group) => group !== 'done').length, 0, this.schedule.heading);
    return nodes;
  }

  private groupNode(kind: 'group' | 'more', group: TaskGroup): TaskNode {
    return kept(this.groupNodes, `${kind}:${group}`, () => ({ kind, group }));
  }
}

/** What a click on a row opens: the most telling thing that there is. */
function openingCommand(taskId: TaskId, abilities: ReadonlySet<string>): vscode.Command {
  const title = l10n.t('Open');
  if (abilities.has('openTerminal')) return { command: 'airlock.openTerminal', title, arguments: [taskId] };
  return { command: 'airlock.showDetails', title, arguments: [taskId] };
}

function kept<K>(nodes: Map<K, TaskNode>, key: K, make: () => TaskNode): TaskNode {
  const node = nodes.get(key) ?? make();
  nodes.set(key, node);
  return node;
}
