/**
 * `targon init`: asks for what a neuron needs, writes its settings file and names the command that starts it. Tests named after
 * a behaviour: settings-file.test.ts (start-command.ts), setup.test.ts (asker.ts, questions.ts, hub-questions.ts,
 * server-questions.ts, wallet-questions.ts, probe-models.ts).
 */
export type { Answers, Given, Neuron, SetupDeps } from './answers.js'
export { type Asker, createAsker } from './asker.js'
export { type ProbedModels, probeModels } from './probe-models.js'
export { answersGiven, askAll, askRole, isAnswer } from './questions.js'
export { answersMissing, fileExists, unwritable } from './refusals.js'
export {
  rivalsOf,
  SETTINGS_FILES,
  SETTINGS_FORMATS,
  type SettingsFormat,
  shownAnswers,
  writeSettings,
} from './settings-file.js'
export { type StartCommand, startCommandFor } from './start-command.js'
