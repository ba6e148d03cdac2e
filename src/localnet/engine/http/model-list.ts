import { hashText } from '../language/index.js'
import type { EngineState } from './engine-state.js'

/** GET /v1/models. */
export function listModels({ models, startedAtSeconds, maxModelLen }: EngineState): object {
  return {
    object: 'list',
    data: models.map((id) => ({
      id,
      object: 'model',
      created: startedAtSeconds,
      owned_by: 'vllm',
      root: id,
      parent: null,
      max_model_len: maxModelLen,
      permission: [
        {
          id: `modelperm-${hashText(id).toString(16).padStart(8, '0').repeat(4)}`,
          object: 'model_permission',
          created: startedAtSeconds,
          allow_create_engine: false,
          allow_sampling: true,
          allow_logprobs: true,
          allow_search_indices: false,
          allow_view: true,
          allow_fine_tuning: false,
          organization: '*',
          group: null,
          is_blocking: false,
        },
      ],
    })),
  }
}
