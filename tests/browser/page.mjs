// The status page in a real browser: phone and desktop, light and dark, without JavaScript of its own; axe-core finds
// nothing; an override set by the command line appears.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const here = "http://127.0.0.1:8080/";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"],
});
let checked = 0;

async function open(width, colorScheme, options = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, ...options });
  const page = await context.newPage();
  const outside = [];
  page.on("request", (request) => request.url().startsWith(here) || outside.push(request.url()));
  await page.goto(here);
  assert.deepEqual(outside, [], "nothing is fetched from elsewhere");
  return page;
}

for (const width of [390, 1280]) {
  for (const colorScheme of ["light", "dark"]) {
    // axe is a script, and the page's policy allows none: it is let in for the check alone.
    const page = await open(width, colorScheme, { bypassCSP: true });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), [], `axe at ${width}, ${colorScheme}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `nothing is wider than the screen at ${width}`);
    checked += 1;
  }
}

const lifecycle = new URL("../../.venv/bin/lifecycle", import.meta.url).pathname;
const env = { ...process.env, FUNCTIONS_URL: `${here}{name}` };
execFileSync(lifecycle, ["pause", "embeddings", "--for", "3h", "--note", "<script>alert(1)</script>"], { env });
const page = await open(1280, "light", { javaScriptEnabled: false });
const text = await page.textContent("main");
assert.match(text, /asked by hand until .*<script>alert\(1\)<\/script>/, "the override appears, as words");
assert.equal(await page.locator("script").count(), 0, "and not as a script");
assert.match(text, /In no entry, and may bill\s+forgotten/, "what bills unseen is told");
checked += 1;

await browser.close();
console.log(`${checked} passed, 0 failed`);
