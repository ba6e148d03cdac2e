/**
 * Questions from the Parquet files of a data set, by URL or path, cached on disk.
 *
 * Tests named after a behaviour: dataset.test.ts (background.ts, page.ts, page-store.ts, shards.ts).
 */
export { readInBackground } from './background.js'
export { createDataset, type DatasetOptions, infinityInstruct } from './dataset.js'
