import { type Checker, sameJson } from '../checker.js'
import { clientAnswers } from '../node/client-answers.js'
import { developmentAnswers } from '../node/development-answers.js'
import { type Answers, type NodeRecording, recordedAnswers, recordingSchema } from '../node/recording.js'

interface RecordedCase {
  readonly id: string
  readonly recorded: unknown
  readonly recording: NodeRecording
}

/** What a real node said, against two readers without common code: the chain client and the development chain. */
export const checker: Checker = {
  vectors: 'recorded-node',
  rules: {
    'not-modelled':
      'the chain client agrees; the development chain does not have this pallet or runtime API, because no neuron uses it',
  },
  cases: ({ json }) => {
    const parsed = recordingSchema.safeParse(json)
    if (!parsed.success) return undefined
    const recording = parsed.data
    return [...recordedAnswers(recording)].map(([id, recorded]) => ({ id, recorded, recording }))
  },
  async check({ id, recorded, recording }: RecordedCase) {
    const { client, development } = await readersOf(recording)
    if (!sameJson(client.get(id), recorded)) return differs('the chain client', client.get(id), recorded)
    if (!development.has(id)) return { agrees: false, explainedBy: 'not-modelled' }
    if (sameJson(development.get(id), recorded)) return { agrees: true }
    return differs('the development chain', development.get(id), recorded)
  },
}

function differs(who: string, told: unknown, recorded: unknown) {
  const text = (value: unknown) => JSON.stringify(value)?.slice(0, 600)
  return { agrees: false, detail: `${who} says ${text(told)}, the node ${text(recorded)}` }
}

interface Readers {
  readonly client: Answers
  readonly development: Answers
}

/** Each recording is read once. */
const read = new Map<NodeRecording, Promise<Readers>>()

function readersOf(recording: NodeRecording): Promise<Readers> {
  const known = read.get(recording) ?? readBoth(recording)
  read.set(recording, known)
  return known
}

async function readBoth(recording: NodeRecording): Promise<Readers> {
  const [client, development] = await Promise.all([clientAnswers(recording), developmentAnswers(recording)])
  return { client, development }
}
