// The status page in a real browser, from `make local` and in scenes: phone and desktop, light and dark, axe-core finds
// nothing, nothing comes from elsewhere, markup in names and notes is text, an override by the command line appears.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [kept, picture] = process.argv.slice(2);
const local = `http://127.0.0.1:${process.env.PORT}/`;
const scenes = JSON.parse(readFileSync(`${kept}/scenes.json`, "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const evil = "<script>alert(1)</script>";
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"],
});
let checked = 0;

async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  const scene = scenes[new URL(address).hostname];
  page.on("request", (request) => request.url().startsWith(address) || wrong.push(`fetched ${request.url()}`));
  page.on("dialog", (dialog) => wrong.push(`dialog ${dialog.message()}`) && dialog.dismiss());
  page.on("console", (message) => wrong.push(`console ${message.text()}`));
  if (scene) {
    const headers = { "Content-Type": "text/html; charset=utf-8", ...scene.headers };
    await page.route(address, (route) => route.fulfill({ body: scene.html, headers }));
  }
  await page.goto(address);
  assert.deepEqual(wrong, [], `${address} keeps to itself`);
  return page;
}

async function check(name, body) {
  await body();
  console.log(`ok ${name}`);
  checked += 1;
}

// An endpoint whose name is markup, made as anybody could make it, and an override.
const [, hub] = readFileSync(`${kept}/log`, "utf8").match(/^Hugging Face +(\S+)$/m);
const [, secrets] = readFileSync(`${kept}/log`, "utf8").match(/^Secret Manager +(\S+)$/m);
const secret = await (await fetch(`${secrets}/v1/projects/local/secrets/hf-token/versions/latest:access`)).json();
const authorised = { Authorization: `Bearer ${Buffer.from(secret.payload.data, "base64")}` };
const lifecycle = new URL("../../.venv/bin/lifecycle", import.meta.url).pathname;
const env = { ...process.env, FUNCTIONS_URL: `${local}{name}` };
execFileSync(lifecycle, ["pause", "embeddings", "--for", "9h", "--note", "maintenance"], { env });
if (picture) {
  const page = await open(local, { viewport: { width: 1000, height: 880 } });
  await page.screenshot({ path: new URL("../../docs/status.png", import.meta.url).pathname });
}
await fetch(`${hub}/v2/endpoint/acme`, { method: "POST", headers: authorised, body: JSON.stringify({ name: evil }) });
execFileSync(lifecycle, ["pause", "embeddings", "--for", "3h", "--note", evil], { env });

for (const address of [local, ...Object.keys(scenes).map((name) => `http://${name}/`)]) {
  for (const width of [320, 390, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      await check(`${address} at ${width}, ${colorScheme}: axe finds nothing, nothing is wider than the screen`, async () => {
        // axe is a script, and the page's policy allows none: it is let in for the check alone.
        const page = await open(address, { viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run());
        assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
      });
    }
  }
}

const page = await open(local, { javaScriptEnabled: false });
const text = (await page.innerText("main")).replace(/\s+/g, " ");

await check("an override set by the command line appears, its note as words", async () => {
  assert.match(text, /By hand embeddings: asked by hand until \d\d:\d\d.*<script>alert\(1\)<\/script>/);
});
await check("what bills in no entry is told, also with markup for a name", async () => {
  assert.match(text, /In no entry, and may bill forgotten is running/);
  assert.match(text, /<script>alert\(1\)<\/script> is (pending|initializing|running)/);
});
await check("markup is nowhere an element, and does nothing where scripts are allowed", async () => {
  for (const address of [local, "http://busy/"]) {
    assert.equal(await (await open(address)).locator("script").count(), 0);
  }
});
await check("it renews itself, and can be kept still", async () => {
  assert.equal((await page.goto(local)).headers().refresh, "120");
  await page.getByRole("link", { name: "Keep it still" }).click();
  await page.waitForURL("**/?still");
  assert.equal((await page.goto(page.url())).headers().refresh, undefined);
});

await browser.close();
console.log(`${checked} passed, 0 failed`);
