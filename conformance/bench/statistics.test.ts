import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compare, quantile, summarize } from "./statistics.ts";

const statistics = suite("statistics of the bench");

statistics("quantiles stand between two values in proportion", () => {
  assert.is(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.is(quantile([10], 0.25), 10);
  assert.ok(Number.isNaN(quantile([], 0.5)));
  assert.equal(summarize([5, 1, 2, 3, 4]), { median: 3, least: 1, low: 2, high: 4 });
});

statistics("a round that is slow for both does not show in the pairs", () => {
  const { median, least, high, ofMedians } = compare([1, 100, 3], [2, 200, 6]);
  assert.equal([median, least, high, ofMedians], [0.5, 0.5, 0.5, 0.5]);
});

statistics.run();
