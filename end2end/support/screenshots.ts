import { test } from './test';
import { tour, WIDTHS } from './tour';

test.use({ nobody: true, contextOptions: { reducedMotion: 'reduce' } });

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of WIDTHS) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: width < 720 ? 780 : 860 } });

      test('screenshots', async ({ page, site, watch }) => {
        watch.expectStatus(403, 404, 422);
        let n = 0;
        for await (const stop of tour(site)) {
          const number = String(++n).padStart(2, '0');
          await page.screenshot({ path: `screenshots/${colorScheme}-${width}/${number}-${stop}.png` });
        }
      });
    });
  }
}
