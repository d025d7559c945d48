import { describe, expect, test } from "vitest";
import { toAddress } from "../../../playground/src/training/address.js";
import { chromiumPath, lookProblems, openPage } from "../../setup/pages/browser.js";
import { playgroundSite } from "../../setup/pages/served-playground.js";
import { playgroundStates } from "../../setup/pages/playground-states.js";

describe.skipIf(chromiumPath === undefined)(
  "how the playground looks (needs Chromium)",
  { timeout: 240_000 },
  () => {
    const site = playgroundSite();

    test.each(Object.entries(playgroundStates))(
      "%s: no fault that axe finds, and nothing beyond the sides",
      async (_name, { settings, reach }) => {
        const { page, problems } = await openPage(`${site().url}#${toAddress(settings)}`);
        await page.getByText("ready", { exact: true }).waitFor({ timeout: 60_000 });
        await reach(page);
        expect(await lookProblems(page)).toEqual([]);
        expect(problems).toEqual([]);
      },
    );
  },
);
