export { createDataset, type DatasetOptions, infinityInstruct, readInBackground } from './dataset/index.js'
export {
  makePrompt,
  type PromptOptions,
  type QuestionSource,
  type QuestionWriter,
  type RoundPrompt,
  type SyntheticRequest,
} from './prompt.js'
export { createRandom, type Random } from './random.js'
