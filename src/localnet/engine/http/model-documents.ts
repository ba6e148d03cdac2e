import { CHAT_TEMPLATE, hashText, SPECIAL_TOKENS } from '../language/index.js'
import type { SamplingDefaults } from '../options.js'
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

/** A file of a model's hub repository, with facts the engine's own routes do not report. Undefined for other names. */
export function hubFile(name: string, state: EngineState): object | undefined {
  const { tokenizer, maxModelLen, samplingDefaults } = state
  const bos = tokenizer.special('<|begin_of_text|>')
  const endIds = [tokenizer.special('<|end_of_text|>'), tokenizer.special('<|eot_id|>')]
  switch (name) {
    case 'config.json':
      return {
        architectures: ['LlamaForCausalLM'],
        model_type: 'llama',
        vocab_size: tokenizer.size,
        bos_token_id: bos,
        eos_token_id: endIds,
        max_position_embeddings: maxModelLen,
        torch_dtype: 'bfloat16',
      }
    case 'generation_config.json':
      return {
        bos_token_id: bos,
        eos_token_id: endIds,
        do_sample: true,
        ...samplingFields(samplingDefaults),
        transformers_version: '4.44.0',
      }
    case 'tokenizer_config.json':
      return {
        added_tokens_decoder: Object.fromEntries(
          SPECIAL_TOKENS.map((content) => [
            tokenizer.special(content),
            { content, lstrip: false, normalized: false, rstrip: false, single_word: false, special: true },
          ]),
        ),
        bos_token: '<|begin_of_text|>',
        eos_token: '<|eot_id|>',
        chat_template: CHAT_TEMPLATE,
        clean_up_tokenization_spaces: false,
        model_max_length: maxModelLen,
        tokenizer_class: 'PreTrainedTokenizerFast',
      }
    default:
      return undefined
  }
}

function samplingFields({ topP, topK, minP }: SamplingDefaults): object {
  return {
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
    ...(minP === undefined ? {} : { min_p: minP }),
  }
}
