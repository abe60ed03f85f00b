import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../support/test';
import { tour, WIDTHS } from '../support/tour';

// A trace of all that axe looks at would take longer than axe.
test.use({ nobody: true, trace: 'off', contextOptions: { reducedMotion: 'reduce' } });

for (const width of WIDTHS) {
  test.describe(`${width} px`, { tag: '@scripts' }, () => {
    test.use({ viewport: { width, height: 800 } });

    test('axe finds nothing on any page, and nothing is wider than the screen', async ({ page, site, watch }) => {
      // Twenty-odd pages, each looked at twice; a busy machine takes its time.
      test.setTimeout(5 * 60_000);
      watch.expectStatus(400, 403, 404, 422);
      for await (const stop of tour(site)) {
        // Legacy mode: the pages have no frames, for which the other opens a tab each time.
        const light = await new AxeBuilder({ page }).setLegacyMode().analyze();
        // Dark differs in its colours alone.
        await page.emulateMedia({ colorScheme: 'dark' });
        const dark = await new AxeBuilder({ page }).setLegacyMode().withRules('color-contrast').analyze();
        await page.emulateMedia({ colorScheme: 'light' });
        const found = [...light.violations, ...dark.violations].flatMap(({ id, nodes }) =>
          nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`),
        );
        expect.soft(found, stop).toEqual([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect.soft(wide, `${stop} is as wide as the screen`).toBeLessThanOrEqual(width);
      }
    });
  });
}
