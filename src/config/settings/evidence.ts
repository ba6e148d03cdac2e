import { z } from 'zod'
import { integerValue, numberValue, switchValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const validator = settingIn('VALIDATOR', ['validator'])

const organics = ['off', 'suspect', 'count'] as const
const modes = ['off', 'observe', 'enforce'] as const

/** Evidence over a miner's answers. */
export const evidenceSettings = {
  'evidence.mode': validator({
    kind: 'text',
    schema: z.enum(modes).optional(),
    default: undefined,
    defaultText: 'enforce for calibrated models, observe for others',
    options: modes,
    help: 'What becomes of the evidence that a miner’s answers give together: off weighs nothing, observe shows it, enforce scores a miner 0 for the model it does not serve as it should.',
  }),
  'evidence.false-alarm': validator({
    kind: 'number',
    schema: numberValue(1e-12, 0.5),
    default: 1e-6,
    help: 'Largest probability with which the evidence accuses an honest miner within a month.',
  }),
  'evidence.clean-answers': validator({
    kind: 'integer',
    schema: integerValue(1, 100_000),
    default: 100,
    help: 'Answers in a row that must fit the model before a miner that evidence scored 0 counts again.',
  }),
  'evidence.checked-share': validator({
    kind: 'number',
    schema: numberValue(0.05, 1),
    default: 1,
    help: 'Share of the answers of trusted miners that the engine checks, drawn at random when an answer is complete; below 1, finding a miner that starts to cheat takes that much longer. A miner is trusted for a model after --evidence.clean-answers verified answers in a row since the start, while evidence is enforced for the model and finds the miner clean.',
  }),
  'evidence.seed': validator({
    kind: 'text',
    schema: z.enum(['observe', 'require']),
    default: 'observe',
    options: ['observe', 'require'],
    help: 'Whether answers must follow the seed of their request as current vLLM does; require fails those of miners of which more than one in twenty does not, older vLLM, SGLang and speculative decoding included.',
  }),
  'evidence.organics': validator({
    kind: 'text',
    schema: z.enum(organics),
    default: 'suspect',
    options: organics,
    help: 'What answers to users’ requests count for: nothing, suspicion alone, or (count) the same as those of this validator’s own rounds. Miners do not sign answers, so with count a hub that invents them can accuse honest miners: only for a hub of your own.',
  }),
  'evidence.keep-organics': validator({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Also keep answers to users’ requests for evidence bundles, with what the users wrote.',
  }),
  'evidence.calibrate': validator({
    kind: 'switch',
    schema: switchValue,
    default: true,
    help: 'Measure in the background, one answer at a time while the engine is idle, how much a reference engine differs from itself, when it has no valid calibration.',
  }),
  'evidence.calibration-answers': validator({
    kind: 'integer',
    schema: integerValue(12, 10_000),
    default: 96,
    help: 'Answers that a calibration measures: a third is greedy, up to 512 tokens long.',
  }),
  'evidence.kept-answers': validator({
    kind: 'integer',
    schema: integerValue(0, 500),
    default: 32,
    help: 'Answers kept on disk per miner and model for evidence bundles, about 50 kB for 300 tokens; 0 keeps none.',
  }),
  'evidence.floor-logits': validator({
    kind: 'number',
    schema: numberValue(0.001, 10),
    default: 0.08,
    help: 'Noise in nats on the difference of two logits that is granted to other hardware: of honest greedy tokens, more than 98 % agree across cards and kernels, and at this scale 2 to 3 % may differ.',
  }),
  'evidence.floor-logprobs': validator({
    kind: 'number',
    schema: numberValue(0.001, 1),
    default: 0.05,
    help: 'Mean difference in nats between stated and reference log probabilities that is granted to other hardware: cards and batch sizes differ by 0.02 to 0.05 in bfloat16.',
  }),
} as const
