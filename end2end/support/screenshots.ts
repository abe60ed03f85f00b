import type { Page } from '@playwright/test';
import { test } from './test';
import { TOURS, WIDTHS } from './tour';

async function picture(page: Page, folder: string, stops: AsyncGenerator<string>): Promise<void> {
  let n = 0;
  for await (const stop of stops) {
    await page.screenshot({ path: `screenshots/${folder}/${String(++n).padStart(2, '0')}-${stop}.png` });
  }
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of WIDTHS) {
    for (const [name, { template, statuses, stops }] of Object.entries(TOURS)) {
      test.describe(`${name}, ${colorScheme}, ${width} px`, () => {
        test.use({ template, colorScheme, viewport: { width, height: width < 720 ? 780 : 860 } });

        test('screenshots', async ({ page, site, monitor }) => {
          monitor.expectStatus(...statuses);
          await picture(page, `${colorScheme}-${width}/${name}`, stops(site));
        });

        if (name !== 'consent') return;
        // The pages of users who come from an application, without scripts.
        test.describe('without JavaScript', () => {
          test.use({ javaScriptEnabled: false });

          test('screenshots', async ({ page, site, monitor }) => {
            monitor.expectStatus(...statuses);
            await picture(page, `plain-${colorScheme}-${width}/${name}`, stops(site));
          });
        });
      });
    }
  }
}
