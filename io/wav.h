/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wav.h: what a WAV says of its samples. wav_chunks.c finds it, wav_read.c takes the samples,
 * wav_write.c says it of a tensor.
 *
 *     "RIFF" size "WAVE"              size counts all that follows it
 *       "fmt " size  tag channels rate bytes/s frame bits [more]
 *       "data" size  frame 0: left right, frame 1: left right, ...
 *       others (LIST, fact, PEAK, bext, ...), anywhere, not looked into
 *
 * A chunk of odd size is followed by one byte of padding. RF64 is RIFF with 0xffffffff for the sizes
 * that 32 bits cannot hold, and a chunk "ds64" that holds them.
 */
#ifndef IO_WAV_H
#define IO_WAV_H

#include "io/formats.h"

/* The numbers that "fmt " has for the codecs. */
enum { IO_WAV_PCM = 1, IO_WAV_FLOAT = 3, IO_WAV_ALAW = 6, IO_WAV_ULAW = 7, IO_WAV_EXTENSIBLE = 0xfffe };

enum { IO_WAV_CHANNELS = 1024, IO_WAV_RATE = 44100 };

typedef struct io_wav {
    uint32_t codec, channels, bits, rate;
    uint32_t frame;  /* bytes of one sample of every channel */
    uint64_t start;  /* of the samples in the file */
    uint64_t frames; /* all of which lie inside the file */
} io_wav;

/* Walks over the chunks. A stream is loaded first. Leaves the source anywhere. */
fal_status io_wav_find(io_source *source, const io_read_options *options, io_wav *wav, fal_error *error);

/* The 16 bytes that follow the codec's number in an extensible "fmt ", less the number's own two. */
extern const unsigned char io_wav_guid[14];

enum { IO_WAV_HEADER = 104 }; /* the longest: RF64 with ds64, an extensible "fmt " and "fact" */
/* Writes all that comes before the samples and returns its length. `start` is not looked at. */
size_t io_wav_header(const io_wav *wav, unsigned char header[IO_WAV_HEADER]);

#endif
