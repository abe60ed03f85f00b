// Lighthouse (mobile) for the sign-in page and a list of 50 keys: `npm run lighthouse` prints the scores and vitals.
// KEYWARD_BIN is the server. Its data is in a temporary folder.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';
import puppeteer from 'puppeteer-core';

const binary = path.resolve(process.env.KEYWARD_BIN ?? '../target/release/keyward');
const folder = mkdtempSync(path.join(tmpdir(), 'keyward-lighthouse-'));
const port = await new Promise(found => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});
const url = `http://127.0.0.1:${port}`;
const env = { ...process.env, KEYWARD_DATABASE_URL: `sqlite:${folder}/keyward.db`, KEYWARD_LISTEN: `127.0.0.1:${port}` };
const told = execFileSync(binary, ['demo', '--keys', '120'], { env, cwd: folder, encoding: 'utf8' });
const server = spawn(binary, ['serve'], { env, cwd: folder, stdio: 'ignore' });
/** Starts a browser with an empty cache and these cookies. */
async function visit(page, cookies) {
  const chrome = await launch({
    chromePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    chromeFlags: ['--headless=new', '--no-sandbox'],
  });
  try {
    const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${chrome.port}` });
    await browser.setCookie(...cookies.map(({ name, value }) => ({ name, value, domain: '127.0.0.1', path: '/' })));
    await browser.disconnect();
    const { lhr } = await lighthouse(`${url}${page}`, { port: chrome.port, output: 'json' });
    // A redirected page was not measured.
    if (lhr.finalDisplayedUrl !== `${url}${page}`) throw new Error(`${page} led to ${lhr.finalDisplayedUrl}`);
    return lhr;
  } finally {
    await chrome.kill();
  }
}

try {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await fetch(`${url}/healthz`).catch(() => null)) break;
    await new Promise(done => setTimeout(done, 50));
  }
  const form = new URLSearchParams({ email: told.match(/email\s+(\S+)/)[1], password: told.match(/password\s+(\S+)/)[1] });
  const answer = await fetch(`${url}/login`, { method: 'POST', body: form, headers: { origin: url }, redirect: 'manual' });
  const cookies = answer.headers.getSetCookie().map(line => {
    const [name, value] = line.split(';')[0].split('=');
    return { name, value };
  });
  for (const [page, known] of [['/login', []], ['/keys', cookies]]) {
    const lhr = await visit(page, known);
    const scores = Object.values(lhr.categories).map(it => `${it.title} ${Math.round(it.score * 100)}`).join(', ');
    const vital = name => lhr.audits[name].displayValue;
    console.log(`${page}: ${scores}`);
    console.log(`  LCP ${vital('largest-contentful-paint')}, FCP ${vital('first-contentful-paint')}, TBT ${vital('total-blocking-time')}, CLS ${vital('cumulative-layout-shift')}, Speed Index ${vital('speed-index')}`);
    for (const category of Object.values(lhr.categories)) {
      for (const { id, weight } of category.auditRefs) {
        const audit = lhr.audits[id];
        if (weight > 0 && audit.score !== null && audit.score < 1) console.log(`  below 1: ${category.title}: ${audit.title} (${audit.score}) ${audit.displayValue ?? ''}`);
      }
    }
  }
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}
