import type { Page } from '@playwright/test';
import axe from 'axe-core';

declare global {
  interface Window { axe: typeof axe }
}

/** What axe finds on the page, one line a fault: by all its rules, or by these. */
export async function faults(page: Page, ...rules: string[]): Promise<string[]> {
  // It is a large script: a document that has it keeps it.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(`${axe.source};undefined`);
  return page.evaluate(async rules => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'], ...(rules.length ? { runOnly: rules } : {}) });
    return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`));
  }, rules);
}
