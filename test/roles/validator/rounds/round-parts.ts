import type { ReferenceEngine } from '../../../../src/engine/index.js'
import type { Answer, InferenceRequest } from '../../../../src/inference/index.js'
import { createTopic } from '../../../../src/roles/role.js'
import type { RoundEvents } from '../../../../src/roles/validator/rounds/round-loop.js'
import type { RoundPlan } from '../../../../src/roles/validator/rounds/round-plan.js'
import type { ServingMiner } from '../../../../src/roles/validator/subnet/subnet-view.js'
import { createSubnetView, type SubnetView } from '../../../../src/roles/validator/subnet/subnet-view.js'
import { neuronOf } from '../../../support/fake-subtensor.js'
import { createRigEngine, MODEL } from '../validator-rig.js'

/** A miner that serves on a port of 127.0.0.1. */
export function servingMiner(uid: number, port = 1): ServingMiner {
  const axon = { ip: '127.0.0.1', port, ipType: 4, protocol: 4, version: 1, block: 1 } as const
  return { ...neuronOf({ uid, hotkey: `5Miner${uid}` }), axon }
}

export function servingMiners(count: number, port?: number): ServingMiner[] {
  return Array.from({ length: count }, (_, index) => servingMiner(index + 1, port))
}

/** The view of a validator with uid 0; each miner lists all wanted models, except those that have not answered. */
export function viewOf(
  miners: readonly ServingMiner[],
  wanted = [MODEL],
  silent: readonly ServingMiner[] = [],
): SubnetView {
  const self = neuronOf({ uid: 0, hotkey: '5Validator', validatorPermit: true, stakeTao: 50_000 })
  const neurons = [self, ...miners]
  const view = createSubnetView({
    metagraph: {
      ...{ netuid: 4, block: 100, blockHash: '0x', neurons, readAt: 0 },
      find: (hotkey) => neurons.find((neuron) => neuron.hotkey === hotkey),
    },
    self,
    wanted,
    vpermitTaoLimit: 4096,
    allowAddress: () => true,
  })
  const answering = miners.filter((miner) => !silent.includes(miner))
  view.replaceServed(new Map(answering.map(({ hotkey }) => [hotkey, wanted])))
  return view
}

export function createRoundEvents(): RoundEvents {
  return {
    result: createTopic(),
    notServing: createTopic(),
    satOut: createTopic(),
    unchecked: createTopic(),
    roundJudged: createTopic(),
    roundEnded: createTopic(),
  }
}

export function planOf(
  miners: readonly ServingMiner[],
  engine: ReferenceEngine = createRigEngine(),
): RoundPlan {
  return {
    kind: 'round',
    model: MODEL,
    endpoint: 'completion',
    engine,
    miners,
    notServing: [],
    sittingOut: [],
  }
}

export function completionRequest(maxTokens = 20): InferenceRequest {
  return { model: MODEL, endpoint: 'completion', prompt: 'Hello', temperature: 0, maxTokens }
}

export function answerOf(change: Partial<Answer> = {}): Answer {
  return {
    ...{ tokens: [], text: '', finishReason: 'length', status: 200, fault: undefined, chunks: 0 },
    ...{ lostTokens: false, tokensPerSecond: 50, burstShare: 0 },
    timing: { timeToFirstTokenMs: 1, timeForAllTokensMs: 1, totalMs: 2 },
    ...change,
  }
}
