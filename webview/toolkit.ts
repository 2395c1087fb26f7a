import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeDataGrid,
  vsCodeDataGridCell,
  vsCodeDataGridRow,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeRadio,
  vsCodeRadioGroup,
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
    vsCodeRadio(),
    vsCodeRadioGroup(),
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

/** One of a few that are all seen. Arrow keys move between them. */
export function radioGroup<T extends string>(
  label: string,
  choices: readonly Choice<T>[],
  selected: T,
  onChoose: (value: T) => void,
): HTMLElement {
  const radios = choices.map((choice) => customElement('vscode-radio', { value: choice.value }, choice.label));
  const made = customElement('vscode-radio-group', { value: selected, 'aria-label': label }, ...radios);
  made.addEventListener('change', () => {
    const chosen = choices.find((choice) => choice.value === valueOf(made));
    if (chosen && chosen.value !== selected) onChoose(chosen.value);
  });
  return made;
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

/** A table that arrow keys move through, cell by cell. A cell is text, or an element. */
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
  return element('div', { class: 'grid' }, grid);
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
