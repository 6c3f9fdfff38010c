// The page in a real browser: in scenes, at every width and color scheme; and against `make local`, where its forms act.
import assert from "node:assert";
import { execFileSync, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const [kept, picture] = process.argv.slice(2);
const here = new URL(".", import.meta.url).pathname;
const local = `http://127.0.0.1:${process.env.PORT}`;
const scenes = JSON.parse(readFileSync(`${kept}/scenes.json`, "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, javaScriptEnabled: false };
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP evil.example 127.0.0.1"],
});
let checked = 0;

async function check(name, body) {
  await body();
  console.log(`ok ${name}`);
  checked += 1;
}

async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  const { host, origin, pathname } = new URL(address);
  page.on("request", (request) => request.url().startsWith(origin) || wrong.push(`fetched ${request.url()}`));
  page.on("dialog", (dialog) => wrong.push(`dialog ${dialog.message()}`) && dialog.dismiss());
  page.on("console", (message) => wrong.push(`console ${message.text()}`));
  if (scenes[host]) {
    const headers = { "Content-Type": "text/html; charset=utf-8", ...scenes[host].headers };
    await page.route("**/*", (route) => route.fulfill({ body: scenes[host].pages[pathname], headers }));
  }
  await page.goto(address);
  assert.deepEqual(wrong, [], `${address} keeps to itself`);
  return page;
}

const WIDTHS = [320, 390, 768, 1280];

async function looks(address, mode) {
  // axe is a script, and the page's policy allows none: it is let in for the check alone.
  const page = await open(address, { ...mode, bypassCSP: true });
  await page.evaluate(axe);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `wider than ${width}`);
    // Layout is that of light, whatever the colors.
    if (mode !== MODES.light && width !== 390 && width !== 1280) continue;
    const { violations } = await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values } }), TAGS);
    assert.deepEqual(violations.map(({ id, nodes }) => [id, width, nodes.map((node) => node.html)]), []);
  }
  await page.context().close();
}

// Scenes.

const MODES = { light: {}, dark: { colorScheme: "dark" }, "forced colors": { forcedColors: "active" } };
for (const [scene, { pages }] of Object.entries(scenes)) {
  for (const path of Object.keys(pages)) {
    await check(`${scene}${path} at four widths, light, dark and forced colors: axe finds nothing, nothing is too wide`, async () => {
      await Promise.all(Object.values(MODES).map((mode) => looks(`http://${scene}${path}`, mode)));
    });
  }
}
await check("two hundred endpoints end above 2,500 px, each in a line of its own", async () => {
  const page = await open("http://crowd/");
  const lines = await page.locator(".lines li").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().bottom));
  assert.equal(lines.length, 200);
  assert.ok(Math.max(...lines) < 2500, `${Math.max(...lines)}`);
});
await check("on paper there are no forms, and ink is dark, whatever the screen is", async () => {
  const page = await open("http://busy/", { colorScheme: "dark" });
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), "rgb(26, 31, 38)");
  assert.equal(await page.locator("form:visible").count(), 0);
  assert.ok((await page.pdf()).length > 1000);
});
await check("with the keyboard alone every link, field and button is reached in order, and the focus is seen", async () => {
  const page = await open("http://busy/");
  const all = await page.locator("a:visible, button:visible, select:visible, summary:visible").count();
  const seen = [];
  for (let number = 0; number < all; number += 1) {
    await page.keyboard.press("Tab");
    seen.push(await page.evaluate(() => {
      const [one, style] = [document.activeElement, getComputedStyle(document.activeElement)];
      return [one.tagName, one.innerText.slice(0, 40), style.outlineStyle, one.getBoundingClientRect().top + window.scrollY];
    }));
  }
  assert.equal(new Set(seen.map(String)).size, all);
  assert.ok(seen.every(([tag, , outline]) => tag !== "BODY" && outline !== "none"));
});
await check("markup in names, tags and notes is text", async () => {
  for (const path of ["/", "/chat"]) {
    const page = await open(`http://busy${path}`);
    assert.equal(await page.locator("script").count(), 0);
    assert.match(await page.innerText("body"), /<script>alert\(1\)<\/script>\\x1b\\u202e/);
  }
});

// Against `make local`.

const log = readFileSync(`${kept}/log`, "utf8");
const [hub, scheduler, secrets] = ["Hugging Face", "Cloud Scheduler", "Secret Manager"].map(
  (name) => log.match(new RegExp(`^${name} +(\\S+)$`, "m"))[1]);
const parent = "projects/local/locations/europe-west1";
const lifecycle = new URL("../../.venv/bin/lifecycle", import.meta.url).pathname;
const cli = (...words) => execFileSync(lifecycle, words, { env: { ...process.env, FUNCTIONS_URL: `${local}/{name}` } });
async function override(entry = "embeddings") {
  const answer = await fetch(`${scheduler}/v1/${parent}/jobs/lifecycle-override-${entry}`);
  if (answer.status === 404) return null;
  return JSON.parse(Buffer.from((await answer.json()).httpTarget.body, "base64")).memory.override;
}
const line = (page, name = "embeddings-prod") => page.locator(".lines li", { hasText: name });
const said = (page) => page.getByRole("status").innerText();
async function tap(page, target) {
  const loaded = page.waitForEvent("load");
  await target.tap();
  await loaded;
}
const HOUR = 3600_000;
let end;

if (picture) {
  cli("pause", "embeddings", "--for", "9h", "--note", "maintenance");
  const page = await open(local, { viewport: { width: 1280, height: 600 } });
  await page.screenshot({ path: new URL("../../docs/status.png", import.meta.url).pathname });
}
cli("pause", "embeddings", "--until", "released");

const phone = await open(`${local}/`, PHONE);
await check("from a phone an endpoint is resumed for two hours in two taps, without script", async () => {
  await tap(phone, phone.getByRole("link", { name: "embeddings-prod" }));
  await tap(phone, phone.getByRole("button", { name: "Resume for 2 h" }));
  assert.match(await said(phone), /^Done: it (runs|is starting)/);
  const found = await override();
  assert.equal(found.state, "running");
  end = Date.parse(found.until);
  assert.ok(Math.abs(end - Date.now() - 2 * HOUR) < 60_000);
});
await check("the table shows it, with its reason", async () => {
  await phone.goto(`${local}/`);
  assert.match(await line(phone).innerText(), /(running|(pending|initializing) → running)[^]*asked by hand until/);
});
await check("it is an hour more, from the line in the table", async () => {
  await tap(phone, line(phone).getByRole("button", { name: "1 h more" }));
  assert.match(await said(phone), /^Done: an hour more|^Done: it is starting/);
  assert.equal(Date.parse((await override()).until), end + HOUR);
});
await check("a reload shows the same and does nothing", async () => {
  const before = [await said(phone), await override()];
  await phone.reload();
  assert.deepEqual([await said(phone), await override()], before);
});
await check("a form that is sent twice is as good as once", async () => {
  const form = new URLSearchParams({ do: "extend", endpoint: "embeddings", until: new Date(end + 2 * HOUR).toISOString() });
  const headers = { "Sec-Fetch-Site": "same-origin" };
  const twice = [1, 2].map(() => fetch(local, { method: "POST", body: form, headers, redirect: "manual" }));
  assert.deepEqual((await Promise.all(twice)).map(({ status }) => status), [303, 303]);
  assert.equal(Date.parse((await override()).until), end + 2 * HOUR);
});
await check("it is released: the job is gone, or has ended until a run sees its effect", async () => {
  await tap(phone, line(phone).getByRole("button", { name: "Release" }));
  assert.match(await said(phone), /^Done: no manual request of yours/);
  assert.doesNotMatch(await line(phone).innerText(), /asked by hand/);
  const left = await override();
  assert.ok(left === null || Date.parse(left.until) <= Date.now());
});
await check("it is paused until released, with the keyboard alone", async () => {
  const page = await open(`${local}/embeddings`, { javaScriptEnabled: false });
  await page.getByRole("button", { name: "Pause until released" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=/);
  assert.equal(await said(page), "Done: it is paused.");
  assert.equal((await override()).until, null);
  assert.match(await page.innerText("main"), /decides/);
});
await check("a reconcile run is started now", async () => {
  const page = await open(local);
  const loaded = page.waitForEvent("load");
  await page.getByRole("button", { name: "Reconcile now" }).click();
  await loaded;
  assert.match(await said(page), /^Done: a reconcile run has been started/);
});
await check("it refreshes without what became of a form, and can be stopped", async () => {
  const page = await open(local);
  assert.equal((await page.goto(`${local}/?tag=dev&done=paused`)).headers().refresh, "120; url=?tag=dev");
  await page.getByRole("link", { name: "Stop refreshing" }).click();
  assert.equal((await page.goto(page.url())).headers().refresh, undefined);
});
await check("filters need no script, and are in the address", async () => {
  const page = await open(local, { javaScriptEnabled: false });
  await page.locator("select[name=state]").selectOption("paused");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/state=paused/);
  assert.match(await page.innerText("header"), /\d of \d shown/);
});

// Forms from elsewhere. The other pages are real ones, at other ports of this machine and under other names.

const FORM = `<form method="post" action="${local}/"><input name="do" value="release"><input name="endpoint" value="embeddings"><button>x</button></form>`;
const other = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(
  `${FORM}<iframe sandbox="allow-forms" srcdoc="${FORM.replaceAll('"', "&quot;")}"></iframe>`)).listen(0);
const port = other.address().port;
for (const [name, address, within] of [
  ["a sibling port", `http://127.0.0.1:${port}/`, (page) => page],
  ["another site", `http://evil.example:${port}/`, (page) => page],
  ["a sandboxed frame, with Origin: null", `http://127.0.0.1:${port}/`, (page) => page.frameLocator("iframe")],
]) {
  await check(`a form from ${name} is refused`, async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(address);
    const answered = page.waitForResponse((response) => response.url().startsWith(local));
    await within(page).getByRole("button").first().click();
    assert.equal((await answered).status(), 403);
    assert.notEqual(await override(), null);
  });
}
await check("under a foreign name the page shows nothing", async () => {
  const page = await (await browser.newContext()).newPage();
  assert.equal((await page.goto(`http://evil.example:${process.env.PORT}/`)).status(), 403);
});
await check("old browsers are known by their Origin", async () => {
  const body = new URLSearchParams({ do: "release", endpoint: "nonesuch" });
  const send = async (headers) => (await fetch(local, { method: "POST", body, headers, redirect: "manual" })).status;
  // Node's fetch names its own Sec-Fetch-Mode, and no Sec-Fetch-Site.
  assert.deepEqual(await Promise.all([
    send({ Origin: local }), send({ Origin: "null" }), send({ Origin: `http://127.0.0.1:${port}` }),
    send({ Origin: "https://evil.example" }), send({}),
  ]), [303, 403, 403, 403, 403]);
});
other.close();

// One service down at a time: the same function, to which that service does not answer.

const environment = {
  ...process.env, HF_TOKEN_SECRET: "projects/local/secrets/hf-token/versions/latest", HF_ENDPOINTS_URL: `${hub}/v2`,
  HF_TOKEN: "", SCHEDULER_PARENT: parent, CLOUD_SCHEDULER_URL: scheduler, SECRET_MANAGER_URL: secrets,
};
const NOWHERE = "http://127.0.0.1:9";
for (const [name, variables, unknown, outcome] of [
  ["Hugging Face", { HF_ENDPOINTS_URL: `${NOWHERE}/v2` }, /Hugging Face does not answer/, /did not answer/],
  ["Cloud Scheduler", { CLOUD_SCHEDULER_URL: NOWHERE }, /Cloud Scheduler does not answer/, /did not answer/],
  ["Cloud Logging", { LOGGING_PARENT: "projects/local", CLOUD_LOGGING_URL: NOWHERE }, /history is unavailable/i, /^Done/],
]) {
  await check(`${name} down: the page says what it does not know, and forms tell the truth`, async () => {
    const own = 20000 + Math.floor(Math.random() * 20000);
    const program = [...`-m functions_framework --source ${here}../../functions/main.py --target console --host 127.0.0.1 --port ${own}`.split(" ")];
    const running = spawn(new URL("../../.venv/bin/python", import.meta.url).pathname, program,
                          { env: { ...environment, ...variables }, stdio: "ignore" });
    try {
      let page;
      for (let tries = 0; !page && tries < 60; tries += 1) {
        page = await open(`http://127.0.0.1:${own}/`, PHONE).catch(() => new Promise((done) => setTimeout(done, 500)));
      }
      assert.match(await page.innerText("body"), unknown);
      const before = JSON.stringify(await override());
      await page.goto(`http://127.0.0.1:${own}/embeddings`);
      await tap(page, page.getByRole("button", { name: "Resume for 2 h" }));
      assert.match(await said(page), outcome);
      if (!outcome.source.startsWith("^")) assert.equal(JSON.stringify(await override()), before);
    } finally {
      running.kill();
    }
  });
}

await browser.close();
console.log(`${checked} passed, 0 failed`);
