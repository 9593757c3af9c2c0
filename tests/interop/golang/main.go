// Command interop checks a log, written by another program, with published modules of the transparency world alone: x/mod's note and
// tlog, and transparency-dev's formats for checkpoints and cosignatures. It shares no line with the writer. Whatever does not hold ends it with
// status 1 and a sentence.
//
//	interop -log DIR -vkey KEY [-witness KEY] [-proof FILE -entry FILE] [-old CHECKPOINT -prefix FILE]
//
// DIR holds checkpoint and tile/… as C2SP tlog-tiles names them; FILE of -proof is a C2SP tlog-proof; that of -prefix is JSON with "path", hex
// hashes that lead from the old checkpoint's root to the present one's.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	formats "github.com/transparency-dev/formats/log"
	cosigned "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height     = 8
	width      = 1 << height
	proofStart = "c2sp.org/tlog-proof@v1\n"
)

// keys are those who must have signed every checkpoint.
type keys struct {
	log     note.Verifier
	witness note.Verifier
}

func main() {
	folder := flag.String("log", "", "the log's folder")
	vkey := flag.String("vkey", "", "the log's verifier key")
	witness := flag.String("witness", "", "the verifier key of a witness that must have cosigned")
	proof := flag.String("proof", "", "a proof file")
	entry := flag.String("entry", "", "the entry that the proof is of")
	old := flag.String("old", "", "an earlier checkpoint")
	prefix := flag.String("prefix", "", "the proof that the earlier checkpoint is a prefix")
	flag.Parse()
	if err := run(*folder, *vkey, *witness, *proof, *entry, *old, *prefix); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func run(folder, vkey, witness, proof, entry, old, prefix string) error {
	var who keys
	var err error
	if who.log, err = note.NewVerifier(vkey); err != nil {
		return fmt.Errorf("the log's key: %w", err)
	}
	if witness != "" {
		if who.witness, err = cosigned.NewVerifierForCosignatureV1(witness); err != nil {
			return fmt.Errorf("the witness's key: %w", err)
		}
	}
	data, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := who.open(data)
	if err != nil {
		return fmt.Errorf("the checkpoint: %w", err)
	}
	hashes := tlog.TileHashReader(tree, tiles{folder, tree.N})
	if err := checkEntries(folder, tree, hashes); err != nil {
		return err
	}
	if proof != "" {
		if err := checkProof(proof, entry, who, tree, hashes); err != nil {
			return fmt.Errorf("the proof: %w", err)
		}
	}
	if old != "" {
		if err := checkPrefix(old, prefix, who, tree, hashes); err != nil {
			return fmt.Errorf("the earlier checkpoint: %w", err)
		}
	}
	fmt.Printf("%d leaves, root %x\n", tree.N, tree.Hash[:])
	return nil
}

// open reads a checkpoint that the log, and the witness where one is named, must have signed.
func (who keys) open(data []byte) (tlog.Tree, error) {
	var others []note.Verifier
	if who.witness != nil {
		others = append(others, who.witness)
	}
	point, rest, opened, err := formats.ParseCheckpoint(data, who.log.Name(), who.log, others...)
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(rest) != 0 {
		return tlog.Tree{}, errors.New("it has extension lines")
	}
	if len(opened.Sigs) != 1+len(others) {
		return tlog.Tree{}, fmt.Errorf("%d of %d signatures are there", len(opened.Sigs), 1+len(others))
	}
	tree := tlog.Tree{N: int64(point.Size)}
	if len(point.Hash) != len(tree.Hash) {
		return tlog.Tree{}, errors.New("its root has another length")
	}
	copy(tree.Hash[:], point.Hash)
	return tree, nil
}

// tiles reads tiles by the names of C2SP tlog-tiles.
type tiles struct {
	folder string
	size   int64
}

func (t tiles) Height() int { return height }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, 0, len(wanted))
	for _, one := range wanted {
		data, err := t.read(strings.Replace(one.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1))
		if err != nil {
			return nil, err
		}
		if len(data) < one.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %s has %d bytes", one.Path(), len(data))
		}
		found = append(found, data[:one.W*tlog.HashSize])
	}
	return found, nil
}

// read gives a partial tile or bundle, or the full one that took its place.
func (t tiles) read(path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(t.folder, path))
	if full, _, partial := strings.Cut(path, ".p/"); partial && errors.Is(err, os.ErrNotExist) {
		return os.ReadFile(filepath.Join(t.folder, full))
	}
	return data, err
}

// checkEntries holds every entry of the bundles against its leaf's hash, which the tiles' reader holds against the root.
func checkEntries(folder string, tree tlog.Tree, hashes tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += width {
		count := min(width, tree.N-first)
		bundle, err := readBundle(tiles{folder, tree.N}, first/width, int(count))
		if err != nil {
			return err
		}
		var indexes []int64
		for at := range count {
			indexes = append(indexes, tlog.StoredHashIndex(0, first+at))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for at, entry := range bundle {
			if tlog.RecordHash(entry) != leaves[at] {
				return fmt.Errorf("entry %d is not what its tile says", first+int64(at))
			}
		}
	}
	return nil
}

func readBundle(from tiles, index int64, count int) ([][]byte, error) {
	tile := tlog.Tile{H: height, L: -1, N: index, W: count}
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1)
	data, err := from.read(path)
	if err != nil {
		return nil, err
	}
	var found [][]byte
	for len(found) < count {
		if len(data) < 2 {
			return nil, fmt.Errorf("%s is cut off", path)
		}
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, fmt.Errorf("%s is cut off", path)
		}
		found, data = append(found, data[2:2+length]), data[2+length:]
	}
	return found, nil
}

// checkProof holds a proof file against its entry, and against the proof that tlog makes from the tiles.
func checkProof(proof, entry string, who keys, tree tlog.Tree, hashes tlog.HashReader) error {
	data, err := os.ReadFile(proof)
	if err != nil {
		return err
	}
	record, err := os.ReadFile(entry)
	if err != nil {
		return err
	}
	head, checkpoint, ok := strings.Cut(string(data), "\n\n")
	lines, ok2 := strings.CutPrefix(head+"\n", proofStart)
	if !ok || !ok2 {
		return errors.New("it is no tlog-proof")
	}
	rest := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
	if strings.HasPrefix(rest[0], "extra ") {
		rest = rest[1:]
	}
	number, ok := strings.CutPrefix(rest[0], "index ")
	index, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return errors.New("it has no index")
	}
	var path tlog.RecordProof
	for _, line := range rest[1:] {
		one, err := hashOf(base64.StdEncoding.Strict().DecodeString(line))
		if err != nil {
			return err
		}
		path = append(path, one)
	}
	of, err := who.open([]byte(checkpoint))
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(path, of.N, of.Hash, index, tlog.RecordHash(record)); err != nil {
		return err
	}
	if of != tree {
		return nil
	}
	own, err := tlog.ProveRecord(tree.N, index, hashes)
	if err != nil {
		return err
	}
	if !slices.Equal(own, path) {
		return errors.New("tlog's own proof is another one")
	}
	return nil
}

// checkPrefix holds the way from an earlier checkpoint to the present one against both roots, and against tlog's own.
func checkPrefix(old, prefix string, who keys, tree tlog.Tree, hashes tlog.HashReader) error {
	data, err := os.ReadFile(old)
	if err != nil {
		return err
	}
	before, err := who.open(data)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(prefix)
	if err != nil {
		return err
	}
	var said struct{ Path []string }
	if err := json.Unmarshal(text, &said); err != nil {
		return err
	}
	var path tlog.TreeProof
	for _, one := range said.Path {
		hash, err := hashOf(hex.DecodeString(one))
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	if err := tlog.CheckTree(path, tree.N, tree.Hash, before.N, before.Hash); err != nil {
		return err
	}
	own, err := tlog.ProveTree(tree.N, before.N, hashes)
	if err != nil {
		return err
	}
	if !slices.Equal(own, path) {
		return errors.New("tlog's own proof is another one")
	}
	return nil
}

func hashOf(data []byte, err error) (tlog.Hash, error) {
	var hash tlog.Hash
	if err == nil && len(data) != len(hash) {
		err = fmt.Errorf("a hash of %d bytes", len(data))
	}
	copy(hash[:], data)
	return hash, err
}
