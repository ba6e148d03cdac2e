import {
  at,
  bytes,
  type FieldsValue,
  u8,
  u16,
  u32,
  u64,
  u128,
  type VariantValue,
  vec,
} from '../scale/index.js'
import { boundedBytes } from './neuron-types.js'
import { accountId, h256 } from './types.js'

const weightVector = { dests: vec(u16), weights: vec(u16), version_key: u64 } as const
const revealVector = { uids: vec(u16), values: vec(u16), salt: vec(u16), version_key: u64 } as const
const timelocked = { commit: boundedBytes, reveal_round: u64 } as const
const version = { commit_reveal_version: u16 } as const

/** Calls of SubtensorModule, all dialects together; indexes and argument names are those of the real runtime. */
export const subtensorCalls = {
  set_weights: at(0, { netuid: u16, ...weightVector }),
  add_stake: at(2, { hotkey: accountId, netuid: u16, amount_staked: u64 }),
  remove_stake: at(3, { hotkey: accountId, netuid: u16, amount_unstaked: u64 }),
  serve_axon: at(4, {
    netuid: u16,
    version: u32,
    ip: u128,
    port: u16,
    ip_type: u8,
    protocol: u8,
    placeholder1: u8,
    placeholder2: u8,
  }),
  register: at(6, {
    netuid: u16,
    block_number: u64,
    nonce: u64,
    work: bytes,
    hotkey: accountId,
    coldkey: accountId,
  }),
  burned_register: at(7, { netuid: u16, hotkey: accountId }),
  commit_weights: at(96, { netuid: u16, commit_hash: h256 }),
  reveal_weights: at(97, { netuid: u16, ...revealVector }),
  commit_crv3_weights: at(99, { netuid: u16, ...timelocked }),
  commit_timelocked_weights: at(113, { netuid: u16, ...timelocked, ...version }),
  commit_crv3_mechanism_weights: at(117, { netuid: u16, mecid: u8, ...timelocked }),
  commit_timelocked_mechanism_weights: at(118, { netuid: u16, mecid: u8, ...timelocked, ...version }),
  set_mechanism_weights: at(119, { netuid: u16, mecid: u8, ...weightVector }),
} as const

export type SubtensorCall = VariantValue<typeof subtensorCalls>
export type CallName = SubtensorCall['type']
export type CallArguments<N extends CallName> = FieldsValue<(typeof subtensorCalls)[N]['fields']>
