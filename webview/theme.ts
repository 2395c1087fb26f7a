/** The colours of the user's theme, as a canvas needs them: resolved, not as variables. */
export interface ThemeColors {
  readonly foreground: string;
  readonly lines: string;
  readonly background: string;
  /** For series that stand beside each other. */
  readonly series: readonly string[];
  /** In high contrast a line round each shape; otherwise nothing. */
  readonly contrastBorder: string | null;
  readonly fontFamily: string;
  readonly fontSizePx: number;
}

export function readTheme(): ThemeColors {
  const styles = getComputedStyle(document.documentElement);
  const read = (name: string, fallback: string): string =>
    styles.getPropertyValue(`--vscode-${name}`).trim() || fallback;
  const foreground = read('foreground', '#888888');
  return {
    foreground,
    // High contrast has no faint colours, and lines as bright as the bars would hide them.
    lines: isHighContrast() ? '#808080' : read('editorIndentGuide-background1', '#88888855'),
    background: read('editor-background', 'transparent'),
    series: [
      read('charts-blue', '#3794ff'),
      read('charts-purple', '#b180d7'),
      read('charts-green', '#89d185'),
      read('charts-yellow', '#cca700'),
      read('charts-red', '#f14c4c'),
      read('charts-orange', '#d18616'),
    ],
    contrastBorder: isHighContrast() ? foreground : null,
    fontFamily: read('font-family', 'sans-serif'),
    fontSizePx: Number.parseFloat(read('font-size', '13px')),
  };
}

function isHighContrast(): boolean {
  const { classList } = document.body;
  return classList.contains('vscode-high-contrast') || classList.contains('vscode-high-contrast-light');
}

/** Calls `onChange` when VS Code has put another theme on the page. */
export function watchTheme(onChange: () => void): void {
  const observer = new MutationObserver(onChange);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
}
