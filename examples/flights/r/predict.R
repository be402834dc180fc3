# Answer batches of rows: Rscript r/predict.R MODEL_FOLDER
# Reads a CSV header once, then batches of rows that each end with an empty line; writes one
# probability a row and flushes after each batch.

folder <- commandArgs(trailingOnly = TRUE)[1]
weights <- read.csv(file.path(folder, "weights.csv"))

term_value <- function(rows, term) {
  if (term == "(Intercept)") return(1)
  if (term == "I(hour^2)") return(rows$hour^2)
  if (term %in% names(rows)) return(rows[[term]])
  for (column in c("weekday", "origin", "airline")) {  # a category: its name, then its value
    if (startsWith(term, column)) return(rows[[column]] == substring(term, nchar(column) + 1))
  }
  stop("unknown term ", term)
}

score <- function(rows) {
  total <- numeric(nrow(rows))
  for (i in seq_len(nrow(weights))) {
    total <- total + weights$weight[i] * term_value(rows, weights$term[i])
  }
  plogis(total)
}

input <- file("stdin", "r")
header <- readLines(input, n = 1)
batch <- character()
while (length(line <- readLines(input, n = 1)) > 0) {
  if (nzchar(line)) {
    batch[length(batch) + 1] <- line
  } else if (length(batch) > 0) {
    writeLines(sprintf("%.17g", score(read.csv(text = c(header, batch)))))
    flush(stdout())
    batch <- character()
  }
}
