/**
 * Prompts for miners: questions from a data set or the bundled list, a persona per miner, seeded randomness. Tests named after
 * a behaviour: prompt.test.ts (wording.ts).
 */
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
