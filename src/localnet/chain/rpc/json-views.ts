import { type Block, type Chain, type Header, stateDiscarded, unknownBlock } from '../node/index.js'
import { digestItem, type Runtime } from '../runtime/index.js'
import { encode, toHex } from '../scale/index.js'
import { hexNumber, type Json } from './method.js'

export function headerView(header: Header): Json {
  return {
    parentHash: toHex(header.parent_hash),
    number: hexNumber(header.number),
    stateRoot: toHex(header.state_root),
    extrinsicsRoot: toHex(header.extrinsics_root),
    digest: { logs: header.digest.logs.map((log) => toHex(encode(digestItem, log))) },
  }
}

export function runtimeVersionView({ version }: Runtime): Json {
  return {
    specName: version.spec_name,
    implName: version.impl_name,
    authoringVersion: version.authoring_version,
    specVersion: version.spec_version,
    implVersion: version.impl_version,
    apis: version.apis.map(([id, apiVersion]) => [toHex(id), apiVersion]),
    transactionVersion: version.transaction_version,
    systemVersion: version.system_version,
    stateVersion: version.system_version,
  }
}

/** The block with a hash, or the head. @throws RpcError 4003 when the block is unknown or its state was pruned */
export function blockWithState(chain: Chain, hash: string | null | undefined): Block {
  if (hash === null || hash === undefined) return chain.head
  const block = chain.blockByHash(hash)
  if (!block) throw unknownBlock(hash)
  if (!chain.state.isKept(block.number)) throw stateDiscarded(hash)
  return block
}

export function storageView(chain: Chain, key: string, block: Block): string | null {
  const value = chain.state.at(block.number).raw(key.toLowerCase())
  return value === undefined ? null : toHex(value)
}
