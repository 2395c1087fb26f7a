import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { countWords } from '../tasks/groupCount';
import type { TaskFilter } from '../tasks/taskFilter';
import type { TaskNode } from '../tasks/taskNode';
import type { Scheduled, ScheduleList } from './scheduleList';
import { scheduledTooltip } from './scheduledRow';

type Heading = Extract<TaskNode, { kind: 'scheduled' }>;
type DefinitionNode = Extract<TaskNode, { kind: 'definition' }>;

/** The part of the task tree that shows what starts by itself. */
export class ScheduleBranch {
  /** Its group. */
  readonly heading: Heading = { kind: 'scheduled' };
  private nodes: ReadonlyMap<string, DefinitionNode> = new Map();

  constructor(
    private readonly list: ScheduleList,
    private readonly filter: Pick<TaskFilter, 'matches'>,
  ) {}

  get onDidChange() {
    return this.list.onDidChange;
  }

  get isEmpty(): boolean {
    return this.shown().length === 0;
  }

  counts(): { readonly shown: number; readonly all: number } {
    return { shown: this.shown().length, all: this.list.all().length };
  }

  rows(): DefinitionNode[] {
    const paths = this.shown().map(({ plan }) => plan.path);
    this.nodes = new Map(paths.map((path) => [path, this.nodes.get(path) ?? { kind: 'definition', path }]));
    return [...this.nodes.values()];
  }

  /** The rows of these files that VS Code knows. */
  rowsAt(paths: Iterable<string>): DefinitionNode[] {
    return [...paths].flatMap((path) => this.nodes.get(path) ?? []);
  }

  private shown(): Scheduled[] {
    return this.list
      .all()
      .filter(({ plan: { name, file, startedBy } }) => this.filter.matches([name, file, startedBy].join('\n')));
  }

  headingItem(): vscode.TreeItem {
    const { shown, all } = this.counts();
    const count = countWords(shown, all);
    const label = l10n.t('Scheduled');
    const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
    item.id = 'group:scheduled';
    item.description = count;
    item.iconPath = new vscode.ThemeIcon('calendar');
    item.contextValue = ' group scheduled ';
    item.accessibilityInformation = { label: l10n.t('{0}: {1}', label, count) };
    return item;
  }

  rowItem(path: string): vscode.TreeItem {
    const scheduled = this.list.at(path);
    if (!scheduled) return new vscode.TreeItem(path);
    const { label, description, icon, contextValue, accessibleLabel } = scheduled.row;
    const item = new vscode.TreeItem(label);
    item.id = `definition:${path}`;
    item.description = description;
    item.iconPath = new vscode.ThemeIcon(icon.id, icon.color === null ? undefined : new vscode.ThemeColor(icon.color));
    item.contextValue = contextValue;
    item.accessibilityInformation = { label: accessibleLabel };
    item.command = {
      command: 'airlock.openDefinition',
      title: l10n.t('Open'),
      arguments: [{ kind: 'definition', path }],
    };
    return item;
  }

  tooltip(path: string): vscode.MarkdownString | undefined {
    const scheduled: Scheduled | undefined = this.list.at(path);
    return scheduled && new vscode.MarkdownString(scheduledTooltip(scheduled.plan, scheduled.starting));
  }
}
