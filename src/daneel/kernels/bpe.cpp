// Byte-level BPE of whole texts: cut into pieces by a vocabulary's pattern, pieces to ids by its merges.
//
// The ids are those of the `tokenizers` library (its BPE model after a Split and a ByteLevel pre-tokenizer). Four things
// make it fast: the patterns are written out as code; a piece that came before is looked up by its bytes; a run of
// letters beyond ASCII is also cut where no token holds the two characters together, so that what is looked up is short;
// and merging begins with whole characters where that changes nothing.

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace {

// What a character is; `characters.py` fills the table of all code points page by page. 0 is not known yet.
enum Kind : uint8_t { LETTER = 1, NUMBER = 2, OTHER = 4, BLANK = 8, END = 16 };
// What part of a character some token holds together with a part of its neighbour; `joins.py` says which.
enum Side : uint8_t { LEFT = 1, RIGHT = 2 };

constexpr uint32_t NONE = UINT32_MAX;
constexpr uint32_t UNKNOWN = NONE - 1;
constexpr uint32_t CODE_POINTS = 0x110000;
constexpr int LONGEST = 15;       // bytes of a piece that is remembered: with their number they are its key
constexpr int INLINE = 3;         // ids of a piece that stand in the table itself
constexpr int PAIR_BITS = 20;
constexpr size_t SHORT = 64;      // bytes up to which a scan for the best merge beats a heap

using Learn = void (*)(uint32_t point);

struct Merge {
  uint64_t pair;  // left << 32 | right
  uint32_t rank, id;
};

// Merges by their pair, open addressing.
class Merges {
 public:
  void fill(const uint32_t* left, const uint32_t* right, const uint32_t* ids, size_t n) {
    int bits = 1;
    while ((size_t(1) << bits) < 2 * n) ++bits;
    shift_ = 64 - bits;
    slots_.assign(size_t(1) << bits, Merge{UINT64_MAX, NONE, NONE});
    for (size_t rank = 0; rank < n; ++rank) {
      const uint64_t pair = uint64_t(left[rank]) << 32 | right[rank];
      Merge& slot = slots_[place(pair)];
      slot = Merge{pair, uint32_t(rank), ids[rank]};  // of two equal pairs the last counts, as in the library
      for (const uint32_t id : {left[rank], right[rank]}) {
        if (id >= first_.size()) first_.resize(id + 1, NONE);
        if (uint32_t(rank) < first_[id]) first_[id] = uint32_t(rank);
      }
    }
  }

  // The rank of the first merge that a token takes part in.
  uint32_t first(uint32_t id) const { return id < first_.size() ? first_[id] : NONE; }

  // What two tokens become; its rank is NONE where they stay apart.
  const Merge& find(uint32_t left, uint32_t right) const { return slots_[place(uint64_t(left) << 32 | right)]; }

 private:
  size_t place(uint64_t pair) const {
    size_t at = (pair * 0x9E3779B97F4A7C15u) >> shift_;
    while (slots_[at].pair != pair && slots_[at].rank != NONE) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  std::vector<Merge> slots_;
  std::vector<uint32_t> first_;
  int shift_ = 0;
};

struct Vocabulary {
  // The pattern, as `pretokens.Pattern` describes it.
  int digits;
  bool apart, words, long_s;
  bool ignore_merges;  // a whole piece that is a token is taken as it is
  bool lacks;          // some byte has no token
  uint32_t bytes[256];
  const uint8_t* kinds;
  const uint8_t* sides;
  const uint8_t* pairs;
  Learn learn;
  Merges merges;
  // Of each code point, the token that it is before any merge can join it to a neighbour; NONE where there is no such.
  std::unique_ptr<std::atomic<uint32_t>[]> whole;
  std::vector<char> text;
  std::unordered_map<std::string_view, uint32_t> tokens;  // only with ignore_merges

  uint8_t kind(uint32_t point) const {
    if (!kinds[point]) learn(point);
    return kinds[point];
  }

  // Whether no merge can cross from one character to the next, both beyond ASCII.
  bool split(uint32_t left, uint32_t right) const {
    if ((sides[left] & LEFT) && (sides[right] & RIGHT)) return false;
    const uint64_t mixed = (uint64_t(left) << 21 | right) * 0x9E3779B97F4A7C15u;
    const uint64_t at = mixed >> (64 - PAIR_BITS);
    return !(pairs[at >> 3] >> (at & 7) & 1);
  }
};

// The ids of pieces met before. Each thread has its own.
class Memory {
 public:
  explicit Memory(size_t most) : most_(most) {
    // Other numbers each time: no text can be made so that its pieces fall on one slot.
    std::random_device random;
    for (uint64_t& factor : factors_) factor = (uint64_t(random()) << 32 | random()) | 1;
    clear();
  }

  struct Entry {
    uint64_t low, high;  // the bytes, and in the highest byte their number: 0 is free
    uint32_t count;
    uint32_t ids[INLINE];  // or, of more, where they stand in `more`
  };

  // The entry of a key, or the free one that waits for it.
  Entry* find(uint64_t low, uint64_t high) {
    uint64_t mixed = low * factors_[0] ^ high * factors_[1];
    mixed = (mixed ^ mixed >> 32) * factors_[2];
    for (size_t at = mixed >> shift_;; at = (at + 1) & (entries_.size() - 1)) {
      Entry& entry = entries_[at];
      if ((entry.low == low && entry.high == high) || !entry.high) return &entry;
    }
  }

  void store(uint64_t low, uint64_t high, const uint32_t* ids, size_t count) {
    if (count_ == most_) clear();
    if (2 * (count_ + 1) > entries_.size()) grow();
    Entry* entry = find(low, high);
    *entry = Entry{low, high, uint32_t(count), {}};
    if (count <= INLINE) {
      std::memcpy(entry->ids, ids, count * sizeof *ids);
    } else {
      entry->ids[0] = uint32_t(more_.size());
      more_.insert(more_.end(), ids, ids + count);
    }
    ++count_;
  }

  uint32_t* write(const Entry& entry, uint32_t* out) const {
    std::memcpy(out, entry.count <= INLINE ? entry.ids : &more_[entry.ids[0]], entry.count * sizeof *out);
    return out + entry.count;
  }

 private:
  void clear() {
    allot(12);
    more_.clear();
    count_ = 0;
  }

  void allot(int bits) {
    entries_.assign(size_t(1) << bits, Entry{});
    shift_ = 64 - bits;
  }

  void grow() {
    std::vector<Entry> old;
    old.swap(entries_);
    allot(64 - shift_ + 1);
    for (const Entry& entry : old)
      if (entry.high) *find(entry.low, entry.high) = entry;
  }

  const size_t most_;
  uint64_t factors_[3];
  std::vector<Entry> entries_;
  std::vector<uint32_t> more_;
  size_t count_ = 0;
  int shift_ = 0;
};

// A character of UTF-8 and its size in bytes; the text is valid, Python wrote it.
struct Character {
  uint32_t point;
  int size;
};

Character character(const uint8_t* at) {
  if (at[0] < 0x80) return {at[0], 1};
  if (at[0] < 0xE0) return {uint32_t(at[0] & 0x1F) << 6 | (at[1] & 0x3F), 2};
  if (at[0] < 0xF0) return {uint32_t(at[0] & 0x0F) << 12 | uint32_t(at[1] & 0x3F) << 6 | (at[2] & 0x3F), 3};
  return {uint32_t(at[0] & 0x07) << 18 | uint32_t(at[1] & 0x3F) << 12 | uint32_t(at[2] & 0x3F) << 6 | (at[3] & 0x3F), 4};
}

class Encoder {
 public:
  Encoder(const Vocabulary& vocabulary, Memory& memory, const uint8_t* text, const uint8_t* end, uint32_t* out)
      : v_(vocabulary), memory_(memory), at_(text), end_(end), out_(out) {}

  uint32_t* encode() {
    while (at_ < end_) {
      if (v_.words) {
        piece_of_words();
      } else {
        piece();
      }
    }
    return out_;
  }

 private:
  bool newline(const uint8_t* at) const { return at < end_ && (*at == '\n' || *at == '\r'); }

  // What stands at a place, END after the text. Where numbers are cut out first, they end the text before them.
  uint8_t kind(const uint8_t* at) const {
    if (at >= end_) return END;
    const uint8_t kind = v_.kind(character(at).point);
    return v_.apart && kind == NUMBER ? uint8_t(END) : kind;
  }

  // GPT-2: 's|'t|'re|'ve|'m|'ll|'d| ?L+| ?N+| ?[^\sLN]+|\s+(?!\S)|\s+
  void piece() {
    if (*at_ == '\'') {
      if (const int letters = contraction()) return give(at_ + 1 + letters);
    }
    const uint8_t* from = *at_ == ' ' ? at_ + 1 : at_;
    const uint8_t what = from < end_ ? v_.kind(character(from).point) : uint8_t(END);
    if (what == NUMBER && v_.apart) {
      if (from > at_) give(from);
      return give(at_ + character(at_).size);
    }
    if (what & (LETTER | NUMBER | OTHER)) return run(from, what);
    blanks();
  }

  // Llama 3, Qwen2: 's|…|[^\r\nLN]?L+|N{1,3}| ?[^\sLN]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+, contractions in any case
  void piece_of_words() {
    if (*at_ == '\'') {
      if (const int bytes = contraction()) return give(at_ + 1 + bytes);
    }
    const Character first = character(at_);
    const uint8_t what = v_.kind(first.point);
    if (what == LETTER) return run(at_, LETTER);
    if (what == NUMBER) {
      const uint8_t* to = at_ + first.size;
      for (int n = 1; n < v_.digits && kind(to) == NUMBER; ++n) to += character(to).size;
      return give(to);
    }
    const uint8_t* next = at_ + first.size;
    const uint8_t after = kind(next);
    if (after == LETTER && !newline(at_)) return run(next, LETTER);
    if (what == OTHER) return run(at_, OTHER);
    if (*at_ == ' ' && after == OTHER) return run(next, OTHER);
    const uint8_t* last = nullptr;
    for (const uint8_t* to = at_; kind(to) == BLANK; to += character(to).size)
      if (newline(to)) last = to;
    if (last) return give(last + 1);
    blanks();
  }

  // Bytes after an apostrophe that belong to it; 0 if it is none of 's 't 're 've 'm 'll 'd.
  int contraction() const {
    const int fold = v_.words ? 0x20 : 0;
    const int one = end_ - at_ > 1 ? at_[1] | fold : 0;
    const int two = end_ - at_ > 2 ? at_[2] | fold : 0;
    if (one == 's' || one == 't' || one == 'm' || one == 'd') return 1;
    if (((one == 'r' || one == 'v') && two == 'e') || (one == 'l' && two == 'l')) return 2;
    // The long s is an s in another case.
    if (v_.long_s && end_ - at_ > 2 && at_[1] == 0xC5 && at_[2] == 0xBF) return 2;
    return 0;
  }

  // White space: before something else it leaves its last character to that, or alone.
  void blanks() {
    const uint8_t* to = at_;
    const uint8_t* last = at_;
    for (; kind(to) == BLANK; to += character(to).size) last = to;
    if (kind(to) == END || last == at_) return give(to);
    give(last);
  }

  // The piece that begins here and goes on from `from` with characters of one kind.
  void run(const uint8_t* from, uint8_t what) {
    const uint8_t* to = from;
    bool parted = false;
    uint32_t left = 0;
    if (from > at_ && *at_ >= 0x80) left = character(at_).point;
    while (to < end_) {
      if (*to < 0x80) {
        if (v_.kinds[*to] != what) {
          if (!v_.kinds[*to]) {
            v_.learn(*to);
            continue;
          }
          break;
        }
        ++to;
        left = 0;
        continue;
      }
      const Character here = character(to);
      if (v_.kind(here.point) != what) break;
      if (left && v_.split(left, here.point) && !(v_.lacks && (lacking(left) || lacking(here.point)))) {
        emit(at_, to, true);
        at_ = to;
        parted = true;
      }
      left = here.point;
      to += here.size;
    }
    if (what == OTHER && v_.words)
      while (newline(to)) ++to;
    emit(at_, to, parted);
    at_ = to;
  }

  // Whether a byte of a character beyond ASCII has no token: the library leaves it out, and its neighbours may join.
  bool lacking(uint32_t point) const {
    const int tails = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    const uint32_t lead = tails == 1 ? 0xC0 : tails == 2 ? 0xE0 : 0xF0;
    bool found = v_.bytes[lead | point >> 6 * tails] == NONE;
    for (int n = 0; n < tails; ++n) found |= v_.bytes[0x80 | (point >> 6 * n & 0x3F)] == NONE;
    return found;
  }

  void give(const uint8_t* to) {
    emit(at_, to, false);
    at_ = to;
  }

  // A part of a piece, unlike a whole one, is not exempt from the merges.
  void emit(const uint8_t* from, const uint8_t* to, bool part) {
    const size_t size = to - from;
    if (size == 1) {
      if (v_.bytes[*from] != NONE) *out_++ = v_.bytes[*from];
      return;
    }
    if (size > LONGEST) {
      out_ = spell(from, size, part, out_);
      return;
    }
    uint64_t key[2] = {0, 0};
    if (end_ - from >= 16) {
      std::memcpy(key, from, 16);
      if (size < 8) {
        key[0] &= (uint64_t(1) << 8 * size) - 1;
        key[1] = 0;
      } else {
        key[1] &= (uint64_t(1) << 8 * (size - 8)) - 1;
      }
    } else {
      std::memcpy(key, from, size);
    }
    key[1] |= uint64_t(size | (part && v_.ignore_merges ? 0x80 : 0)) << 56;
    const Memory::Entry* entry = memory_.find(key[0], key[1]);
    if (entry->high) {
      out_ = memory_.write(*entry, out_);
      return;
    }
    uint32_t* to_ids = spell(from, size, part, out_);
    memory_.store(key[0], key[1], out_, to_ids - out_);
    out_ = to_ids;
  }

  uint32_t* spell(const uint8_t* from, size_t size, bool part, uint32_t* out) const {
    if (v_.ignore_merges && !part) {
      const auto found = v_.tokens.find(std::string_view(reinterpret_cast<const char*>(from), size));
      if (found != v_.tokens.end()) {
        *out = found->second;
        return out + 1;
      }
    }
    return size <= SHORT ? spell_short(from, size, out) : spell_long(from, size, out);
  }

  // What merging begins with: bytes, or whole characters.
  size_t symbols(const uint8_t* from, size_t size, uint32_t* ids) const {
    size_t n = 0;
    for (size_t i = 0; i < size;) {
      const Character here = character(from + i);
      const uint32_t id = here.size > 1 ? whole(here.point, from + i, here.size) : v_.bytes[here.point];
      if (id != NONE) {
        ids[n++] = id;
      } else {
        for (int k = 0; k < here.size; ++k)
          if (v_.bytes[from[i + k]] != NONE) ids[n++] = v_.bytes[from[i + k]];
      }
      i += here.size;
    }
    return n;
  }

  // The merges inside a character come before all others of it if no token holds a part of it and a neighbour, and if
  // each has a lower rank than every merge of the whole.
  uint32_t whole(uint32_t point, const uint8_t* from, int size) const {
    std::atomic<uint32_t>& known = v_.whole[point];
    uint32_t id = known.load(std::memory_order_relaxed);
    if (id != UNKNOWN) return id;
    id = NONE;
    if (!v_.sides[point] && !(v_.lacks && lacking(point))) {
      uint32_t ids[4], highest = 0;
      for (int k = 0; k < size; ++k) ids[k] = v_.bytes[from[k]];
      if (merge_all(ids, size, &highest) == 1 && highest < v_.merges.first(ids[0])) id = ids[0];
    }
    known.store(id, std::memory_order_relaxed);
    return id;
  }

  // Merge up to SHORT symbols in place; how many are left, and the highest rank that was used.
  size_t merge_all(uint32_t* ids, size_t n, uint32_t* highest) const {
    uint32_t ranks[SHORT], merged[SHORT];
    const auto look = [&](size_t i) {
      const Merge& merge = v_.merges.find(ids[i], ids[i + 1]);
      ranks[i] = merge.rank;
      merged[i] = merge.id;
    };
    for (size_t i = 0; i + 1 < n; ++i) look(i);
    while (n > 1) {
      size_t best = 0;
      for (size_t i = 1; i + 1 < n; ++i)
        if (ranks[i] < ranks[best]) best = i;
      if (ranks[best] == NONE) break;
      if (highest && ranks[best] > *highest) *highest = ranks[best];
      ids[best] = merged[best];
      for (size_t i = best + 1; i + 1 < n; ++i) {
        ids[i] = ids[i + 1];
        ranks[i] = ranks[i + 1];
        merged[i] = merged[i + 1];
      }
      --n;
      if (best + 1 < n) look(best);
      if (best > 0) look(best - 1);
    }
    return n;
  }

  uint32_t* spell_short(const uint8_t* from, size_t size, uint32_t* out) const {
    uint32_t ids[SHORT];
    const size_t n = merge_all(ids, symbols(from, size, ids), nullptr);
    std::memcpy(out, ids, n * sizeof *out);
    return out + n;
  }

  uint32_t* spell_long(const uint8_t* from, size_t size, uint32_t* out) const {
    struct Symbol {
      uint32_t id;
      int64_t before, next;
    };
    const int64_t count = symbols(from, size, out);  // there is room for an id a byte
    if (!count) return out;
    std::vector<Symbol> symbols(count);
    for (int64_t i = 0; i < count; ++i) symbols[i] = {out[i], i - 1, i + 1 < count ? i + 1 : -1};
    using Candidate = std::tuple<uint32_t, int64_t, uint32_t>;  // rank, place of the left one, what they become
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap;
    const auto look = [&](int64_t left) {
      if (left < 0 || symbols[left].next < 0) return;
      const Merge& merge = v_.merges.find(symbols[left].id, symbols[symbols[left].next].id);
      if (merge.rank != NONE) heap.emplace(merge.rank, left, merge.id);
    };
    for (int64_t i = 0; i < count; ++i) look(i);
    while (!heap.empty()) {
      const auto [rank, left, id] = heap.top();
      heap.pop();
      const int64_t right = symbols[left].next;
      // A merge beside it may have changed either of the two since.
      if (symbols[left].id == NONE || right < 0) continue;
      if (v_.merges.find(symbols[left].id, symbols[right].id).rank != rank) continue;
      symbols[left].id = id;
      symbols[left].next = symbols[right].next;
      if (symbols[right].next >= 0) symbols[symbols[right].next].before = left;
      symbols[right].id = NONE;
      look(left);
      look(symbols[left].before);
    }
    for (int64_t i = 0; i >= 0; i = symbols[i].next) *out++ = symbols[i].id;
    return out;
  }

  const Vocabulary& v_;
  Memory& memory_;
  const uint8_t* at_;
  const uint8_t* const end_;
  uint32_t* out_;
};

}  // namespace

extern "C" {

// `bytes`: the token of each byte, UINT32_MAX for none. `text` and `ends`: the bytes of all tokens one after another,
// wanted with `ignore_merges` only. The tables of kinds, sides and pairs stay the caller's.
Vocabulary* daneel_bpe_vocabulary(int digits, int apart, int words, int long_s, const uint32_t* bytes,
                                  const uint32_t* left, const uint32_t* right, const uint32_t* merged, int64_t merges,
                                  const char* text, const int64_t* ends, const uint32_t* ids, int64_t tokens,
                                  const uint8_t* kinds, const uint8_t* sides, const uint8_t* pairs, Learn learn) {
  auto* v = new Vocabulary{};
  v->digits = digits;
  v->apart = apart;
  v->words = words;
  v->long_s = long_s;
  v->ignore_merges = tokens > 0;
  std::memcpy(v->bytes, bytes, sizeof v->bytes);
  for (uint32_t id : v->bytes) v->lacks |= id == NONE;
  v->kinds = kinds;
  v->sides = sides;
  v->pairs = pairs;
  v->learn = learn;
  v->merges.fill(left, right, merged, merges);
  v->whole = std::make_unique<std::atomic<uint32_t>[]>(CODE_POINTS);
  for (uint32_t point = 0; point < CODE_POINTS; ++point) v->whole[point].store(UNKNOWN, std::memory_order_relaxed);
  if (tokens) v->text.assign(text, text + ends[tokens - 1]);
  for (int64_t n = 0; n < tokens; ++n) {
    const int64_t begin = n ? ends[n - 1] : 0;
    v->tokens.emplace(std::string_view(v->text.data() + begin, ends[n] - begin), ids[n]);
  }
  return v;
}

void daneel_bpe_free_vocabulary(Vocabulary* v) { delete v; }

Memory* daneel_bpe_memory(int64_t most) { return new Memory(most); }

void daneel_bpe_free_memory(Memory* memory) { delete memory; }

// The last place up to `limit` where letters end, in bytes: every pattern begins a piece there. `begin` if there is none.
int64_t daneel_bpe_cut(const Vocabulary* v, const uint8_t* text, int64_t begin, int64_t limit) {
  int64_t after = limit;  // where the character after the one looked at begins
  while (after > begin && (text[after] & 0xC0) == 0x80) --after;
  bool ends = v->kind(character(text + after).point) != LETTER;
  while (after > begin) {
    int64_t at = after - 1;
    while (at > begin && (text[at] & 0xC0) == 0x80) --at;
    const bool letter = v->kind(character(text + at).point) == LETTER;
    if (letter && ends) return after;
    ends = !letter;
    after = at;
  }
  return begin;
}

// Ids of some texts, valid UTF-8, one after another in `out`, which has room for an id a byte; `counts` of each text.
void daneel_bpe_encode(const Vocabulary* v, Memory* memory, const uint8_t* const* texts, const int64_t* begins,
                       const int64_t* ends, int64_t n, uint32_t* out, int64_t* counts) {
  for (int64_t i = 0; i < n; ++i) {
    uint32_t* const first = out;
    out = Encoder(*v, *memory, texts[i] + begins[i], texts[i] + ends[i], out).encode();
    counts[i] = out - first;
  }
}

}  // extern "C"
