import { faults } from '../support/axe';
import { expect, test } from '../support/test';
import { SCROLLED, TOURS, WIDTHS } from '../support/tour';

// A trace of all that axe looks at would take longer than axe.
test.use({ trace: 'off' });

for (const [name, { template, statuses, stops }] of Object.entries(TOURS)) {
  for (const width of WIDTHS) {
    test.describe(`${name}, ${width} px`, { tag: '@scripts' }, () => {
      test.use({ template, viewport: { width, height: 800 } });

      test('axe finds nothing on any page, and nothing is wider than the screen', async ({ page, site, watch }) => {
        watch.expectStatus(...statuses);
        for await (const stop of stops(site)) {
          if (SCROLLED.has(stop)) continue;
          const light = await faults(page);
          // Dark differs in its colours alone.
          await page.emulateMedia({ colorScheme: 'dark' });
          const dark = await faults(page, 'color-contrast');
          await page.emulateMedia({ colorScheme: 'light' });
          expect.soft([...light, ...dark], stop).toEqual([]);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          expect.soft(wide, `${stop} is as wide as the screen`).toBeLessThanOrEqual(width);
        }
      });
    });
  }
}
