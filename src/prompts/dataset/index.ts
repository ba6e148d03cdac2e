export { createDataset, type DatasetOptions, infinityInstruct } from './dataset.js'
