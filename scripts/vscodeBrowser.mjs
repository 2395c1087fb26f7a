// The browser in which tests open the workbench: Debian's Chromium, driven by playwright-core.
import { chromium } from 'playwright-core';
import { ensureChromium } from './vscodeInstall.mjs';

/** Starts a browser with a profile of its own, headless. */
export function startBrowser() {
  return chromium.launch({
    executablePath: ensureChromium(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page that `server` knows already: nobody has to log in. */
export async function openPage(browser, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  await context.addCookies([server.cookie]);
  return context.newPage();
}
