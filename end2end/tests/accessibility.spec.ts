import { findViolations } from '../support/axe';
import { expect, test } from '../support/test';
import { SCROLLED, TOURS, WIDTHS } from '../support/tour';

// A trace of the work of axe takes longer than axe itself.
test.use({ trace: 'off' });

for (const [name, { template, statuses, stops }] of Object.entries(TOURS)) {
  for (const width of WIDTHS) {
    test.describe(`${name}, ${width} px`, { tag: '@scripts' }, () => {
      test.use({ template, viewport: { width, height: 800 } });

      test('every page passes axe and fits the screen width', async ({ page, site, monitor }) => {
        monitor.expectStatus(...statuses);
        for await (const stop of stops(site)) {
          if (SCROLLED.has(stop)) continue;
          const light = await findViolations(page);
          // The dark scheme differs only in its colors.
          await page.emulateMedia({ colorScheme: 'dark' });
          const dark = await findViolations(page, 'color-contrast');
          await page.emulateMedia({ colorScheme: 'light' });
          expect.soft([...light, ...dark], stop).toEqual([]);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          expect.soft(wide, `${stop} is as wide as the screen`).toBeLessThanOrEqual(width);
        }
      });
    });
  }
}
