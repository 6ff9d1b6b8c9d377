// Looks at HTML reports in a browser as people do, wide and narrow, light and dark, with every cell open and on paper, and
// has axe-core look too. A line for each look, and a failure if anything is wrong.
//
//   node check.mjs REPORT.html...
//   SCREENSHOTS=DIR node check.mjs REPORT.html...    what was seen, as PNG and PDF
//
// The browser is CHROMIUM, or the first `chromium` or `google-chrome` of PATH.

import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [400, 1400];
const SCHEMES = ["light", "dark"];
const OPENED = 40;
// A report of a large estate is judged by its beginning: axe needs minutes for a hundred thousand cells.
const JUDGED = 60;

const wrong = [];

async function main(files) {
  if (files.length === 0) {
    console.error("usage: node check.mjs REPORT.html...");
    return 2;
  }
  const browser = await chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox"] });
  try {
    for (const file of files) {
      for (const width of WIDTHS) {
        for (const scheme of SCHEMES) {
          await report(`${basename(file)} ${width} px ${scheme}`, () => look(browser, file, width, scheme));
        }
      }
      await report(`${basename(file)} without scripts`, () => withoutScripts(browser, file));
      await report(`${basename(file)} by keyboard`, () => byKeyboard(browser, file));
      await report(`${basename(file)} to a screen reader`, () => toScreenReader(browser, file));
      await report(`${basename(file)} on paper`, () => onPaper(browser, file));
    }
  } finally {
    await browser.close();
  }
  return wrong.length === 0 ? 0 : 1;
}

/** Runs a look, and says what it found wrong. */
async function report(name, look) {
  const found = await look();
  console.log(`${found.length === 0 ? "ok    " : "not ok"}  ${name}`);
  for (const line of found) {
    console.log(`        ${line}`);
  }
  wrong.push(...found);
}

/** Opens a report. Whatever it asks for beside itself, and whatever its own policy forbids, is wrong. */
async function open(browser, file, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const found = [];
  const url = pathToFileURL(resolve(file)).href;
  page.on("request", (request) => request.url().split("#")[0] === url || found.push(`asks for ${request.url()}`));
  page.on("pageerror", (error) => found.push(`script: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && found.push(`console: ${message.text()}`));
  await page.goto(url);
  return { context, page, found };
}

async function look(browser, file, width, colorScheme) {
  const { context, page, found } = await open(browser, file, {
    viewport: { width, height: 900 },
    colorScheme,
    deviceScaleFactor: 1,
  });
  await picture(page, `${basename(file, ".html")}-${width}-${colorScheme}`);
  found.push(...(await overflow(page)));
  await page.evaluate((most) => {
    for (const rows of [".m > tbody > tr", ".r", ".f", ".notices > li"]) {
      [...document.querySelectorAll(rows)].slice(most).forEach((item) => item.remove());
    }
  }, JUDGED);
  found.push(...(await axe(page, "closed")));
  // What cannot be scrolled into view is not judged: everything is laid out.
  await page.evaluate((most) => {
    [...document.querySelectorAll("details")].slice(0, most).forEach((details) => (details.open = true));
    document.querySelectorAll(".m tr, .r, .f, .rule, .notices > li").forEach((item) => {
      item.style.contentVisibility = "visible";
    });
  }, OPENED);
  await picture(page, `${basename(file, ".html")}-${width}-${colorScheme}-open`);
  found.push(...(await overflow(page)));
  found.push(...(await axe(page, "open")));
  await context.close();
  return found;
}

/** A page that is wider than the window has to be scrolled in two directions. */
function overflow(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`is ${scrollWidth} px wide in a window of ${clientWidth}`] : [];
  });
}

async function axe(page, when) {
  // By the debugger: the report's own policy lets no other script in.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map((node) => `axe, ${when}: ${id}: ${help}: ${node.target.join(" ")} (${nodes.length} in all)`),
  );
}

/** Without scripts, cells open all the same, and what needs a script is not shown. */
async function withoutScripts(browser, file) {
  const { context, page, found } = await open(browser, file, { javaScriptEnabled: false, viewport: { width: 1400, height: 900 } });
  if (await page.locator("#filter").isVisible()) {
    found.push("shows a filter that does nothing");
  }
  const cell = page.locator(".m td summary").first();
  if ((await cell.count()) > 0) {
    await cell.click();
    const panel = page.locator(".m details[open] .panel").first();
    const [opened, table] = [await panel.boundingBox(), await page.locator(".m").boundingBox()];
    if (!opened || opened.width < table.width * 0.9) {
      found.push("a cell does not open over the whole width");
    }
  }
  await context.close();
  return found;
}

/** The skip link comes first; Enter opens and closes a cell; the filter says what is left. */
async function byKeyboard(browser, file) {
  const { context, page, found } = await open(browser, file, { viewport: { width: 1400, height: 900 } });
  await page.keyboard.press("Tab");
  if (!(await page.evaluate(() => document.activeElement.matches(".skip")))) {
    found.push("the first stop is not the skip link");
  }
  const cells = page.locator(".m td summary");
  if ((await cells.count()) > 0) {
    await cells.first().focus();
    const isOpen = () => page.evaluate(() => document.activeElement.parentElement.open);
    for (const wanted of [true, false]) {
      await page.keyboard.press("Enter");
      if ((await isOpen()) !== wanted) {
        found.push(`Enter does not ${wanted ? "open" : "close"} a cell`);
      }
    }
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    if (outline === "none") {
      found.push("the focus is not seen");
    }
  }
  if ((await page.locator(".m").count()) > 0) {
    await page.fill("#filter", "no role has a name like this");
    await page.waitForFunction(() => document.querySelector("nav output").textContent === "0 roles");
    await page.fill("#filter", "");
    await page.waitForFunction(() => document.querySelectorAll(".m > tbody > tr:not([hidden])").length > 0);
  }
  await context.close();
  return found;
}

/** Rows that are laid out as grids are still a table: with headers of columns and rows, and cells. */
async function toScreenReader(browser, file) {
  // Tall, because the rows of a long report are known as they come into view.
  const { context, page, found } = await open(browser, file, { viewport: { width: 1400, height: 6000 } });
  if ((await page.locator(".m").count()) > 0) {
    await page.evaluate((most) => {
      [...document.querySelectorAll(".m > tbody > tr")].slice(most).forEach((row) => row.remove());
    }, JUDGED);
    const session = await context.newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const count = (role) => nodes.filter((node) => !node.ignored && node.role?.value === role).length;
    const rows = await page.locator(".m > tbody > tr").count();
    const cells = await page.locator(".m > tbody > tr > td").count();
    for (const [role, least] of [["columnheader", 11], ["rowheader", rows], ["row", rows + 1]]) {
      if (count(role) < least) {
        found.push(`has ${count(role)} of ${role}, of ${least}`);
      }
    }
    if (count("cell") + count("gridcell") < cells) {
      found.push(`has ${count("cell") + count("gridcell")} cells of ${cells}`);
    }
  }
  await context.close();
  return found;
}

/** On paper everything is open. */
async function onPaper(browser, file) {
  const { context, page, found } = await open(browser, file, { viewport: { width: 1100, height: 800 } });
  await page.emulateMedia({ media: "print" });
  // What is in view is known two frames later.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const closed = await page.evaluate(() => {
    const shown = (it) => it.checkVisibility({ contentVisibilityAuto: true });
    const inside = [...document.querySelectorAll("details > :not(summary)")].slice(0, 500);
    return inside.filter((it) => !shown(it) || it.getBoundingClientRect().width < 200).length;
  });
  if (closed > 0) {
    found.push(`${closed} details are not open`);
  }
  if (process.env.SCREENSHOTS && (await page.locator(".m > tbody > tr").count()) <= 500) {
    await page.pdf({ path: join(process.env.SCREENSHOTS, `${basename(file, ".html")}.pdf`), preferCSSPageSize: true });
  }
  await context.close();
  return found;
}

async function picture(page, name) {
  if (process.env.SCREENSHOTS) {
    mkdirSync(process.env.SCREENSHOTS, { recursive: true });
    const { height, width } = await page.evaluate(() => ({ height: document.documentElement.scrollHeight, width: innerWidth }));
    const clip = { x: 0, y: 0, width, height: Math.min(height, 2600) };
    await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true, clip });
  }
}

function browserPath() {
  const named = process.env.CHROMIUM;
  const known = ["chromium", "chromium-browser", "google-chrome"];
  const paths = (process.env.PATH ?? "").split(delimiter).flatMap((at) => known.map((name) => join(at, name)));
  for (const path of named ? [named] : paths) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  throw new Error("there is no chromium in PATH; say where it is with CHROMIUM");
}

process.exitCode = await main(process.argv.slice(2));
