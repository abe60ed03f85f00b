import type { Page } from '@playwright/test';
import { test } from './test';
import { tour, WIDTHS } from './tour';
import { tourConsent } from './tour-consent';

test.use({ nobody: true, contextOptions: { reducedMotion: 'reduce' } });

async function picture(page: Page, folder: string, stops: AsyncGenerator<string>): Promise<void> {
  let n = 0;
  for await (const stop of stops) {
    await page.screenshot({ path: `screenshots/${folder}/${String(++n).padStart(2, '0')}-${stop}.png` });
  }
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of WIDTHS) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: width < 720 ? 780 : 860 } });

      test('screenshots', async ({ page, site, watch }) => {
        watch.expectStatus(400, 403, 404, 422);
        await picture(page, `${colorScheme}-${width}`, tour(site));
      });

      // What a person meets who comes from elsewhere, with no script that could help.
      test.describe('without JavaScript', () => {
        test.use({ javaScriptEnabled: false, nobody: false });

        test('screenshots', async ({ page, site, watch }) => {
          watch.expectStatus(400, 404, 422);
          await site.signIn();
          await picture(page, `plain-${colorScheme}-${width}`, tourConsent(site));
        });
      });
    });
  }
}
