package world

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// The words that names and posts are composed of. Nobody is called so.
var (
	adjectives = strings.Fields("amber brisk calm clever copper crisp dapper early eager fabled gentle golden hazel indigo jolly keen" +
		" lively lunar mellow merry misty nimble noble olive patient plucky proud quiet rapid rustic sandy silver snowy solar spry steady" +
		" sunny swift tidy velvet violet warm witty woolly young zesty")
	animals = strings.Fields("badger beaver bison bittern crane curlew dormouse egret falcon ferret finch fox gannet gecko heron hare ibex" +
		" jackdaw kestrel kingfisher lapwing lark lynx magpie marten mole newt nuthatch osprey otter owl petrel plover puffin quail raven" +
		" robin salmon seal shrew siskin sparrow stoat swift tern thrush vole weasel wren")
	subjects = strings.Split("the harbour at dawn,a loaf that rose too far,old maps,the night train,a bicycle from 1974,tomatoes on the balcony,"+
		"the library's new wing,a chess ending,rain on tin roofs,an unexpected frost,the long way home,secondhand records,a broken kettle,"+
		"the river after the storm,learning to juggle,a letter that came late,mountain huts,the last bus,pickled plums,kites,"+
		"a street without cars,cold water swimming,the sound of cicadas,unit tests,a garden gate,fog over the valley",
		",")
	openings = strings.Split("Some thoughts about,Has anybody else noticed,A short story of,In praise of,What I learned from,Three pictures of,"+
		"Never underestimate,A question about,Today it was all about,Still thinking about,A small guide to,Notes on",
		",")
	remarks = strings.Split("Yes!,I had the same.,Where was that?,Lovely.,More of this please.,Never thought of it so.,Thank you.,"+
		"This made my day.,Tell us more.,Not so sure about that.", ",")
)

// handle composes the name of a user. The number makes it unique.
func handle(rng *rand.Rand, user uint32) string {
	return pick(rng, adjectives) + "-" + pick(rng, animals) + "-" + strconv.FormatUint(uint64(user)+1, 10)
}

// Body composes the text of a post.
func Body(rng *rand.Rand) string {
	return pick(rng, openings) + " " + pick(rng, subjects) + "."
}

// Remark is the text of a comment.
func Remark(rng *rand.Rand) string { return pick(rng, remarks) }

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }
