// llama.cpp answering one request after another, greedily: the engine under llama_cpp_peer.py.
//
//     llama_cpp_peer MODEL.gguf MMPROJ.gguf THREADS TOKENS FORCED
//
// Says "ready". A request is three lines: the picture's path, the prompt's size in bytes, and the prompt, in which
// <__media__> stands for the picture. The answer is a line of "prompt-tokens tokens seconds-to-the-first bytes", and
// the text. What the system prompt left in the cache is kept from one request to the next.

#include <algorithm>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "llama.h"
#include "mtmd-helper.h"
#include "mtmd.h"

using Clock = std::chrono::steady_clock;

constexpr int CONTEXT = 1024;  // tokens
constexpr int BATCH = 512;

static void check(bool well, const char * what) {
    if (!well) throw std::runtime_error(what);
}

struct Engine {
    llama_model * model;
    llama_context * context;
    mtmd_context * vision;
    llama_sampler * greedy = llama_sampler_init_greedy();
    std::vector<llama_token> kept;  // the text before the picture, as the cache has it

    Engine(const char * language, const char * projector, int threads) {
        model = llama_model_load_from_file(language, llama_model_default_params());
        check(model, "the model cannot be loaded");
        auto options = llama_context_default_params();
        options.n_ctx = CONTEXT;
        options.n_batch = BATCH;
        options.n_threads = options.n_threads_batch = threads;
        context = llama_init_from_model(model, options);
        check(context, "no context can be made");
        auto looks = mtmd_context_params_default();
        looks.use_gpu = false;
        looks.n_threads = threads;
        vision = mtmd_init_from_file(projector, model, looks);
        check(vision, "the projector cannot be loaded");
    }

    // Evaluates the prompt, but for a first chunk that is kept; the position after it.
    llama_pos read(const mtmd_input_chunks * chunks) {
        llama_memory_t memory = llama_get_memory(context);
        llama_pos past = 0;
        size_t count = mtmd_input_chunks_size(chunks);
        for (size_t i = 0; i < count; i++) {
            const mtmd_input_chunk * chunk = mtmd_input_chunks_get(chunks, i);
            if (i == 0) {
                size_t size = 0;
                const llama_token * tokens = mtmd_input_chunk_get_tokens_text(chunk, &size);
                std::vector<llama_token> begins(tokens, tokens + size);
                if (begins == kept) {
                    llama_memory_seq_rm(memory, 0, past = (llama_pos) size, -1);
                    continue;
                }
                llama_memory_seq_rm(memory, 0, 0, -1);
                kept = begins;
            }
            check(!mtmd_helper_eval_chunk_single(vision, context, chunk, past, 0, BATCH, i + 1 == count, &past),
                  "the prompt cannot be evaluated");
        }
        return past;
    }

    void answer(const std::string & picture, const std::string & prompt, int most, bool forced) {
        auto started = Clock::now();
        auto file = mtmd_helper_bitmap_init_from_file(vision, picture.c_str(), false, mtmd_helper_init_opt_default());
        check(file.bitmap, "the picture cannot be read");
        mtmd_input_text words{prompt.data(), prompt.size(), false, true};
        mtmd_input_chunks * chunks = mtmd_input_chunks_init();
        const mtmd_bitmap * bitmaps[] = {file.bitmap};
        check(!mtmd_tokenize(vision, chunks, &words, bitmaps, 1), "the prompt cannot be tokenized");
        llama_pos past = read(chunks);
        const llama_vocab * vocabulary = llama_model_get_vocab(model);
        llama_batch batch = llama_batch_init(1, 0, 1);
        std::string text;
        double first = 0;
        int tokens = 0;
        while (tokens < most) {
            llama_token token = llama_sampler_sample(greedy, context, -1);
            if (++tokens == 1) first = std::chrono::duration<double>(Clock::now() - started).count();
            if (!forced && llama_vocab_is_eog(vocabulary, token)) break;
            char piece[256];
            text.append(piece, std::max(0, llama_token_to_piece(vocabulary, token, piece, sizeof piece, 0, false)));
            if (tokens == most) break;
            batch.n_tokens = 1;
            batch.token[0] = token;
            batch.pos[0] = past++;
            batch.n_seq_id[0] = 1;
            batch.seq_id[0][0] = 0;
            batch.logits[0] = true;
            check(!llama_decode(context, batch), "a token cannot be decoded");
        }
        std::cout << mtmd_helper_get_n_tokens(chunks) << ' ' << tokens << ' ' << first << ' ' << text.size() << '\n'
                  << text << std::flush;
        llama_batch_free(batch);
        mtmd_input_chunks_free(chunks);
        mtmd_bitmap_free(file.bitmap);
    }
};

int main(int, char ** arguments) {
    Engine engine(arguments[1], arguments[2], std::stoi(arguments[3]));
    std::cout << "ready" << std::endl;
    std::string picture, size;
    while (std::getline(std::cin, picture) && std::getline(std::cin, size)) {
        std::string prompt(std::stoul(size), '\0');
        std::cin.read(prompt.data(), (std::streamsize) prompt.size());
        std::cin.ignore();
        engine.answer(picture, prompt, std::stoi(arguments[4]), std::string(arguments[5]) == "forced");
    }
}
