import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeDataGrid,
  vsCodeDataGridCell,
  vsCodeDataGridRow,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
} from '@vscode/webview-ui-toolkit';
import { customElement, element } from './dom';

// The one file that knows @vscode/webview-ui-toolkit: its repository is archived, and what replaces it is written here.

/** Call it once, before anything is shown. */
export function registerToolkit(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeDataGrid(),
    vsCodeDataGridCell(),
    vsCodeDataGridRow(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeProgressRing(),
  );
}

export function button(label: string, onClick: () => void, look: 'primary' | 'secondary' = 'secondary'): HTMLElement {
  const made = customElement('vscode-button', { appearance: look }, label);
  made.addEventListener('click', onClick);
  return made;
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
}

/** One of several, in a list that opens. */
export function dropdown<T extends string>(
  label: string,
  choices: readonly Choice<T>[],
  selected: T,
  onChoose: (value: T) => void,
): HTMLElement {
  const options = choices.map((choice) => {
    const attributes = { value: choice.value, ...(choice.value === selected ? { selected: '' } : {}) };
    return customElement('vscode-option', attributes, choice.label);
  });
  const made = customElement('vscode-dropdown', { 'aria-label': label }, ...options);
  made.addEventListener('change', () => {
    const chosen = choices.find((choice) => choice.value === valueOf(made));
    if (chosen && chosen.value !== selected) onChoose(chosen.value);
  });
  return made;
}

function valueOf(control: HTMLElement): string {
  return 'value' in control && typeof control.value === 'string' ? control.value : '';
}

export function progressRing(label: string): HTMLElement {
  return customElement('vscode-progress-ring', { 'aria-label': label, role: 'progressbar' });
}

export interface Column {
  readonly title: string;
  /** A CSS grid track, such as `2fr` or `8em`. */
  readonly width: string;
  readonly isNumber?: boolean;
}

/** A day as `YYYY-MM-DD`. VS Code's toolkit has no field for days. */
export function dayField(label: string, value: string, onChoose: (day: string) => void): HTMLElement {
  const input = element('input', { type: 'date', required: '', value });
  input.addEventListener('change', () => {
    if (input.value !== '') onChoose(input.value);
  });
  return element('label', { class: 'day' }, label, input);
}

/** What looks like a link and does something in this page or in VS Code. */
export function linkButton(label: string, tooltip: string, onClick: () => void): HTMLElement {
  const made = element('button', { type: 'button', class: 'link', title: tooltip }, label);
  made.addEventListener('click', onClick);
  return made;
}

/**
 * A table that arrow keys move through, cell by cell. A cell is text, or an element. Enter on a cell does what the first button
 * of its row does.
 */
export function dataGrid(
  label: string,
  columns: readonly Column[],
  rows: readonly (readonly (string | HTMLElement)[])[],
): HTMLElement {
  const tracks = columns.map((column) => column.width).join(' ');
  const grid = customElement('vscode-data-grid', {
    'aria-label': label,
    'generate-header': 'none',
    'grid-template-columns': tracks,
  });
  const titles = columns.map((column) => column.title);
  grid.append(gridRow(columns, titles, { 'row-type': 'header' }, { 'cell-type': 'columnheader' }));
  grid.append(...rows.map((cells) => gridRow(columns, cells, {}, {})));
  grid.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.target instanceof HTMLElement) || event.target.matches('button')) return;
    event.target.closest('vscode-data-grid-row')?.querySelector('button')?.click();
  });
  return element('div', { class: 'grid' }, grid);
}

/** Where in a table the focus is, so that the one that replaces it can have it in the same place. */
export interface GridPlace {
  readonly row: number;
  readonly column: number;
}

export function gridPlaceOf(focused: Element | null): GridPlace | undefined {
  const cell = focused?.closest('vscode-data-grid-cell');
  const row = cell?.closest('vscode-data-grid-row');
  if (!cell || !row?.parentElement) return undefined;
  return { row: [...row.parentElement.children].indexOf(row), column: [...row.children].indexOf(cell) };
}

export function focusGridPlace(within: Element, { row, column }: GridPlace): void {
  const rows = within.querySelectorAll('vscode-data-grid-row');
  const cell = rows[Math.min(row, rows.length - 1)]?.children[column];
  if (cell instanceof HTMLElement) cell.focus();
}

function gridRow(
  columns: readonly Column[],
  cells: readonly (string | HTMLElement)[],
  rowAttributes: Readonly<Record<string, string>>,
  cellAttributes: Readonly<Record<string, string>>,
): HTMLElement {
  const made = cells.map((content, index) => {
    const attributes = { ...cellAttributes, class: columns[index]?.isNumber ? 'number' : 'text' };
    return customElement('vscode-data-grid-cell', { ...attributes, 'grid-column': String(index + 1) }, content);
  });
  return customElement('vscode-data-grid-row', rowAttributes, ...made);
}
