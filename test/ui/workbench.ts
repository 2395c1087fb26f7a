import fs from 'node:fs';
import path from 'node:path';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import {
  openPage,
  root,
  startBrowser,
  startServer,
  workbenchUrl,
  type Server,
  type ServerOptions,
} from '../../scripts/vscode.mjs';

/** VS Code's own themes: their ids in the settings, their names in its list, the class that the workbench then has. */
const themes = {
  dark: { id: 'Dark Modern', label: 'Dark Modern', cssClass: 'vs-dark' },
  light: { id: 'Light Modern', label: 'Light Modern', cssClass: 'vs' },
  highContrast: { id: 'Default High Contrast', label: 'Dark High Contrast', cssClass: 'hc-black' },
} as const;
export type Theme = keyof typeof themes;

/** A window on a machine that is busy with something else. */
const startMs = 90_000;

/** Where screenshots go: build output, looked at by people. */
const screenshots = path.join(root, 'out', 'screenshots');

/** A row of a tree, as a user sees it. */
export interface TreeRow {
  readonly label: string;
  readonly description: string;
  /** 1 for the outermost rows. */
  readonly level: number;
  readonly expanded: boolean | null;
}

export interface WorkbenchOptions extends ServerOptions {
  /** The folder to open. */
  readonly workspace?: string;
  readonly theme?: Theme;
}

/** A real workbench in a real browser, driven as a user would: by what is seen and clicked. */
export class Workbench {
  private constructor(
    readonly server: Server,
    private readonly browser: Browser,
    readonly page: Page,
    private readonly workspace: string | undefined,
  ) {}

  static async open(options: WorkbenchOptions): Promise<Workbench> {
    const theme = themes[options.theme ?? 'dark'].id;
    const server = await startServer({
      ...options,
      settings: { 'workbench.colorTheme': theme, ...options.settings },
    });
    let browser: Browser | undefined;
    try {
      browser = await startBrowser();
      const page = await openPage(browser, server);
      const workbench = new Workbench(server, browser, page, options.workspace);
      await workbench.load();
      return workbench;
    } catch (error) {
      // Left open, it would keep the whole test run from ending.
      await browser?.close();
      await server.stop();
      throw error;
    }
  }

  /** Opens one more window on the same folder. It ends with this one's `close`, if it was not closed before. */
  async another(): Promise<Workbench> {
    const workbench = new Workbench(
      this.server,
      this.browser,
      await openPage(this.browser, this.server),
      this.workspace,
    );
    await workbench.load();
    return workbench;
  }

  /** Closes this window as a user does, and leaves VS Code's server running. */
  async closeWindow(): Promise<void> {
    const closed = this.page.waitForEvent('close');
    await this.page.close({ runBeforeUnload: true });
    await closed;
  }

  /** Reloads the window as a user does: VS Code saves what it keeps. */
  async reload(): Promise<void> {
    await Promise.all([
      this.page.waitForEvent('domcontentloaded', { timeout: startMs }),
      this.command('Developer: Reload Window'),
    ]);
    await this.ready();
  }

  private async load(): Promise<void> {
    await this.page.goto(workbenchUrl(this.server, this.workspace));
    await this.ready();
  }

  private async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: startMs });
    // The theme comes from an extension: it is there when the extension host is.
    await this.page.locator('.monaco-workbench[class*="vscode-theme-defaults"]').waitFor({ timeout: startMs });
  }

  async close(): Promise<void> {
    try {
      await this.browser.close();
    } finally {
      await this.server.stop();
    }
  }

  /** Runs the command that the palette shows under exactly this title, such as `Airlock: Start Queue`. */
  async command(title: string): Promise<void> {
    await this.offer(title);
    await this.pick(title);
    // The command may ask something in the same place: what is typed next is not for the palette.
    const input = this.page.locator('.quick-input-widget input').first();
    await eventually(
      async () => (await input.isVisible()) && (await input.inputValue()) === `>${title}`,
      (isStill) => !isStill,
    );
  }

  /** Opens the palette with this command in it, and leaves the choice. */
  async offer(title: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input').first();
    // The palette has what there was when it was opened, and a window that has just come up is still getting its commands.
    for (const deadline = Date.now() + startMs; ;) {
      await this.page.keyboard.press('F1');
      await input.waitFor();
      await input.fill(`>${title}`);
      const isThere = await this.choice(title)
        .waitFor({ timeout: 5_000 })
        .then(
          () => true,
          () => false,
        );
      if (isThere || Date.now() > deadline) break;
      await this.page.keyboard.press('Escape');
      await input.waitFor({ state: 'hidden' });
    }
  }

  /** The row of the open quick pick whose label is exactly `label`. */
  private choice(label: string): Locator {
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    return rows.filter({ has: this.page.locator('.label-name', { hasText: exactly(label) }) }).first();
  }

  /** Clicks the row of the open quick pick whose label is exactly `label`. */
  async pick(label: string): Promise<void> {
    // Where the mouse has clicked before, the hover of a row may come up and lie over the others.
    await this.page.mouse.move(0, 0);
    await this.choice(label).click();
  }

  /** The labels of the open quick pick, once they are those that are wanted: it may still show what was asked before. */
  async choices(areWanted: (labels: readonly string[]) => boolean): Promise<string[]> {
    const rows = this.page.locator('.quick-input-list .monaco-list-row .label-name');
    return eventually(
      async () =>
        // An icon is a character of a font of its own.
        (await rows.allInnerTexts()).map((text) => text.replaceAll(/[\p{Co}\s]+/gu, ' ').trim()),
      areWanted,
    );
  }

  /** Waits until the open quick pick has these labels and no others. */
  async offers(labels: readonly string[]): Promise<void> {
    await this.choices((shown) => shown.join('\n') === labels.join('\n'));
  }

  /** Gives the keyboard to the terminal that is shown, and stays until it has it: a menu that closes takes it back a moment later. */
  async focusTerminal(): Promise<void> {
    const typed = this.page.locator('.terminal-wrapper.active .xterm-helper-textarea');
    await eventually(
      async () => {
        await typed.focus();
        await this.page.waitForTimeout(500);
        return typed.and(this.page.locator(':focus')).count();
      },
      (count) => count > 0,
    );
  }

  /** Waits for the question that has this title. */
  async question(title: string): Promise<void> {
    await this.page
      .locator('.quick-input-title')
      .filter({ hasText: exactly(title) })
      .waitFor();
  }

  /** Types into the open input box, and confirms. */
  async answer(text: string, options = { confirm: true }): Promise<void> {
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(text);
    if (options.confirm) await this.page.keyboard.press('Enter');
  }

  /**
   * Opens the view container of the activity bar with this title. A click on one that is open closes it, and while a window comes up
   * VS Code may open it between the look and the click: then it is clicked once more.
   */
  async openContainer(title: string): Promise<void> {
    const item = this.page
      .locator('.activitybar .action-item', { has: this.page.locator(`a[aria-label^="${title}"]`) })
      .first();
    await item.waitFor();
    await eventually(
      async () => {
        if (await isChecked(item)) return true;
        await item.click();
        return eventually(() => isChecked(item), Boolean, 5_000).catch(() => false);
      },
      Boolean,
      startMs,
    );
  }

  /** The section of a side bar whose header has this title. */
  pane(title: string): Locator {
    return this.page
      .locator('.pane')
      .filter({ has: this.page.locator('.pane-header h3', { hasText: exactly(title) }) });
  }

  /** The rows of a tree that are on the screen, from the top. */
  async rows(title: string): Promise<TreeRow[]> {
    // In one go: the tree may change between two questions.
    const rows = await this.pane(title)
      .locator('.monaco-list-row')
      .evaluateAll((found) =>
        found.map((row) => ({
          top: Number(/\btop: (\d+)px/.exec(row.getAttribute('style') ?? '')?.[1] ?? 0),
          label: row.querySelector('.label-name')?.textContent?.trim() ?? '',
          description: row.querySelector('.label-description')?.textContent?.trim() ?? '',
          level: Number(row.getAttribute('aria-level')),
          expanded: row.hasAttribute('aria-expanded') ? row.getAttribute('aria-expanded') === 'true' : null,
        })),
      );
    return rows.sort((a, b) => a.top - b.top).map(({ top: _, ...row }) => row);
  }

  row(title: string, label: string | RegExp): Locator {
    const name = typeof label === 'string' ? exactly(label) : label;
    return this.pane(title)
      .locator('.monaco-list-row')
      .filter({ has: this.page.locator('.label-name', { hasText: name }) })
      .first();
  }

  /** Chooses an entry of the context menu of a tree's row. */
  async contextMenu(title: string, label: string | RegExp, entry: string): Promise<void> {
    // A person waits too: while a tree is made anew VS Code calls the menu's command without the row (microsoft/vscode#144250).
    await this.pane(title).locator('.monaco-progress-container.active').waitFor({ state: 'hidden' });
    await this.row(title, label).click({ button: 'right' });
    const item = this.page.locator('.context-view .action-menu-item').filter({ hasText: entry }).first();
    await item.waitFor();
    // The menu takes a click only from a mouse that has moved over it, and none in its first moments.
    const isGone = (timeout: number) =>
      item.waitFor({ state: 'hidden', timeout }).then(
        () => true,
        () => false,
      );
    for (let tries = 0; tries < 10; tries += 1) {
      await this.page.mouse.move(0, 0);
      try {
        await item.hover({ timeout: 3_000 });
        await item.click({ timeout: 3_000 });
      } catch (error) {
        // On a busy machine it goes away some time after it has taken a click.
        if (tries > 0 && (await isGone(1))) return;
        throw error;
      }
      if (await isGone(1_000)) return;
    }
    throw new Error(`The menu does not take a click on “${entry}”`);
  }

  /** The extension's items in the status bar; ids are `publisher.name.<item>`. */
  statusBarItem(idPart: string): Locator {
    return this.page.locator(`.statusbar-item[id*="${idPart}"]`).first();
  }

  /** What the visible terminal shows, one line per row. */
  async terminalText(): Promise<string> {
    const rows = this.page.locator('.terminal-wrapper.active .xterm-rows, .editor-instance .xterm-rows').first();
    await rows.waitFor();
    const lines = await rows.locator('> div').allInnerTexts();
    return lines.map((line) => line.replaceAll('\u00a0', ' ').trimEnd()).join('\n');
  }

  /** The page inside the webview that is shown. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  tab(title: string | RegExp): Locator {
    return this.page.locator('.tabs-container .tab').filter({ hasText: title }).first();
  }

  /** The texts of the notifications that are shown. */
  async notifications(): Promise<string[]> {
    return this.page.locator('.notifications-toasts .notification-list-item-message').allInnerTexts();
  }

  /** Changes the colour theme as a user would, and waits until the workbench has it. */
  async setTheme(theme: Theme): Promise<void> {
    const { label, cssClass } = themes[theme];
    await this.command('Preferences: Color Theme');
    await this.answer(label, { confirm: false });
    await this.pick(label);
    await this.page.locator(`.monaco-workbench.${cssClass}`).waitFor({ timeout: startMs });
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Keeps a picture of the whole window under `out/screenshots/`. */
  async screenshot(name: string): Promise<string> {
    fs.mkdirSync(screenshots, { recursive: true });
    const file = path.join(screenshots, `${name}.png`);
    // A mouse that rests on something opens its tooltip.
    await this.page.mouse.move(700, 890);
    const hover = this.page.locator('.workbench-hover-container');
    // One that stays is no reason to fail: then it is in the picture.
    await hover.waitFor({ state: 'hidden', timeout: 2000 }).catch(() => {});
    await this.page.screenshot({ path: file });
    return file;
  }
}

/** For `afterEach`: keeps a picture of the window when the test that has just ended failed. */
export async function pictureFailure(workbench: Workbench | undefined, test: Mocha.Test | undefined): Promise<void> {
  if (!workbench || test?.state !== 'failed') return;
  await workbench.screenshot(`failed-${test.title.replaceAll(/[^a-z0-9]+/gi, '-')}`).catch(() => {});
}

/** Matches an element whose text is `text` and nothing else. */
function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
}

/** Of an item of an action bar. */
async function isChecked(item: Locator): Promise<boolean> {
  return /\bchecked\b/.test((await item.getAttribute('class')) ?? '');
}

/** Asks until `read` answers what `isWanted` wants. @throws with the last answer when it never does. */
export async function eventually<T>(
  read: () => Promise<T>,
  isWanted: (value: T) => boolean,
  limitMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await read();
    if (isWanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`Waited ${limitMs} ms; the last answer was ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
