# Train a logistic regression in R: Rscript r/train.R TRAIN.csv MODEL_FOLDER
# Leaves coefficients as text, so that nothing in the model has to be trusted to be loaded.

arguments <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(arguments[1], stringsAsFactors = FALSE)

numbers <- c("distance", "hour", "planned_minutes", "plane_age", "seats", "temp", "dewp", "humid",
             "wind_speed", "wind_gust", "precip", "pressure", "origin_delay", "origin_departures")
rows$weekday <- factor(rows$weekday, levels = 0:6)
rows$origin <- factor(rows$origin)
rows$airline <- factor(rows$airline)

formula <- as.formula(paste("late ~ weekday + origin + airline + I(hour^2) +",
                            paste(numbers, collapse = " + ")))
fit <- glm(formula, data = rows, family = binomial(), model = FALSE, y = FALSE)

weights <- coef(fit)
weights[is.na(weights)] <- 0
write.csv(data.frame(term = names(weights), weight = format(weights, digits = 17, trim = TRUE)),
          file.path(arguments[2], "weights.csv"), row.names = FALSE)
