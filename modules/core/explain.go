package core

// Explain is how the API says that a post's score and place came about.
type Explain struct {
	Freshness  float64 `json:"freshness"`
	Engagement float64 `json:"engagement"`
	Disliked   float64 `json:"disliked"` // what dislikes take from engagement; 0 or below
	Affinity   float64 `json:"affinity"`
	Weights    struct {
		Freshness  float64 `json:"freshness"`
		Engagement float64 `json:"engagement"`
		Affinity   float64 `json:"affinity"`
	} `json:"weights"`
	Inputs struct {
		AgeHours     float64 `json:"age_hours"`
		Exposures    int64   `json:"exposures"`
		Likes        int64   `json:"likes"`
		Comments     int64   `json:"comments"`
		Shares       int64   `json:"shares"`
		Dislikes     int64   `json:"dislikes"`
		Interactions float64 `json:"author_interactions"` // weighted, of the viewer with the author in 90 days
	} `json:"inputs"`
	Adjustments []string `json:"adjustments"` // what moved the post from where its score alone puts it
	Position    struct {
		Before int `json:"before"` // by score alone, from 1
		After  int `json:"after"`
	} `json:"position"`
}
