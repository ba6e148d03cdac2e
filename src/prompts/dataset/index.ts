export { readInBackground } from './background.js'
export { createDataset, type DatasetOptions, infinityInstruct } from './dataset.js'
