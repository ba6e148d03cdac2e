import type { ServerInspection, UpstreamSettings } from '../../../routing/index.js'
import type { Finding } from './types.js'

const TOKEN_IDS_FLAG = 'Start the server with --return-tokens-as-token-ids'

/** What the miner's own probes of a server say, before any answer is judged. */
export function serverFindings(inspection: ServerInspection, settings: UpstreamSettings): Finding[] {
  const { downReason, models } = inspection
  if (downReason !== undefined) return [serverDown(downReason)]
  if (models.length === 0) return [noModels()]
  return tokenIdsFinding(inspection, settings)
}

/** Whether the answers can be verified at all, with the field that `routing.add-token-ids` adds if need be. */
export function canSendTokenIds({ tokenIds }: ServerInspection): boolean {
  return tokenIds !== 'never'
}

function serverDown(reason: string): Finding {
  return {
    code: 'server-down',
    weight: 'fails',
    seen: `The server cannot be used: ${reason.replace(/\.$/, '')}.`,
    fix: 'Start the server, or correct --model-endpoint and --api-key.',
  }
}

function noModels(): Finding {
  return {
    code: 'no-models',
    weight: 'fails',
    seen: 'The server has none of the configured models.',
    fix: 'Compare its /v1/models with models and aliases of its upstreams entry.',
  }
}

function tokenIdsFinding({ tokenIds }: ServerInspection, { addTokenIds }: UpstreamSettings): Finding[] {
  const isMissing = tokenIds === 'never' || (tokenIds === 'on-request' && !addTokenIds)
  if (!isMissing) return []
  return [
    {
      code: 'token-ids-missing',
      weight: 'fails',
      seen: 'The server returns no token ids, so no answer can be verified.',
      fix:
        tokenIds === 'on-request'
          ? `${TOKEN_IDS_FLAG}, or the miner with --routing.add-token-ids.`
          : `${TOKEN_IDS_FLAG}.`,
    },
  ]
}
